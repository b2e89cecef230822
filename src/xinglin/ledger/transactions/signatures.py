"""Reading and verifying transactions, each once: what was checked on arrival is not verified again in its block."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from xinglin.ledger.codes import Code
from xinglin.ledger.transactions.bodies import Body, read_body
from xinglin.ledger.transactions.envelope import DOMAIN, Envelope, Refused, digest_of, open_envelope

__all__ = ["ParsedTransaction", "TransactionCache"]

# As many again are kept of those that were asked about before; together more than wait in a node's pool.
_REMEMBERED = 8_000
# Larger ones are rare, and together they would fill the memory.
_REMEMBERED_BYTES = 4_096
_WORTH_SHARING = 16


@dataclass(slots=True)
class ParsedTransaction:
    """A transaction that was read.

    Attributes:
        digest: Its SHA-256.
        envelope: Who says it; None when it could not be read.
        body: What it says; None when it could not be read.
        code: Why it could not be read; OK otherwise.
        verified: The public key that the signature is known to be good for.
        failed: A public key that it is known not to be good for.
    """

    digest: bytes
    envelope: Envelope | None
    body: Body | None
    code: Code
    verified: bytes | None = None
    failed: bytes | None = None


class TransactionCache:
    """Transactions that arrived lately, read and verified; only what is certain for all time is remembered.

    May be used by several threads: what two of them find out at once is the same.
    """

    def __init__(self) -> None:
        self._opened: dict[bytes, ParsedTransaction] = {}
        self._before: dict[bytes, ParsedTransaction] = {}
        self._pool: ThreadPoolExecutor | None = None

    def open(self, transaction: bytes) -> ParsedTransaction:
        """Read a transaction, or remember it."""
        opened = self._opened.get(transaction)
        if opened is None:
            opened = self._before.get(transaction) or _open(transaction, digest_of(transaction))
            if len(transaction) <= _REMEMBERED_BYTES:
                self._remember(transaction, opened)
        return opened

    def _remember(self, transaction: bytes, opened: ParsedTransaction) -> None:
        if len(self._opened) >= _REMEMBERED:
            self._before, self._opened = self._opened, {}
        self._opened[transaction] = opened

    def signed_by(self, opened: ParsedTransaction, public_key: bytes) -> bool:
        """Whether the signature is good for this key."""
        if opened.verified == public_key:
            return True
        if opened.envelope is None or opened.failed == public_key:
            return False
        good = _verify(opened.envelope, public_key)
        if good:
            opened.verified = public_key
        else:
            opened.failed = public_key
        return good

    def verify_ahead(
        self, transactions: Sequence[bytes], key_of: Callable[[str], bytes | None], spread: bool = True
    ) -> None:
        """Read transactions and verify those whose key is known already.

        Reading all and then verifying all takes a core a quarter less time than turning from one to the other.

        Args:
            transactions: What arrived.
            key_of: The public key of a key id, as far as it is known; a guess, checked again in the block.
            spread: Use every core, which takes longer in all but ends sooner where cores are idle.
        """
        work = []
        keys: dict[str, bytes | None] = {}
        for transaction in transactions:
            if len(transaction) > _REMEMBERED_BYTES:
                continue
            opened = self.open(transaction)
            if opened.envelope is None or opened.verified is not None:
                continue
            key_id = opened.envelope.key_id
            if key_id not in keys:
                keys[key_id] = key_of(key_id)
            key = keys[key_id]
            if key is not None:
                work.append((opened, key))
        cores = os.cpu_count() or 1
        if not spread or len(work) < _WORTH_SHARING or cores == 1:
            self._verify_all(work)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(cores, thread_name_prefix="verify")
        list(self._pool.map(self._verify_all, [work[start::cores] for start in range(cores)]))

    def _verify_all(self, work: Sequence[tuple[ParsedTransaction, bytes]]) -> None:
        for opened, key in work:
            self.signed_by(opened, key)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


def _open(transaction: bytes, digest: bytes) -> ParsedTransaction:
    envelope = None
    try:
        envelope = open_envelope(transaction)
        return ParsedTransaction(digest, envelope, read_body(envelope.type, envelope.body), Code.OK)
    except Refused as refused:
        # What is not of its form may be a thousand times larger in memory than it was in bytes.
        return ParsedTransaction(digest, envelope and envelope._replace(body={}), None, refused.code)


def _verify(envelope: Envelope, public_key: bytes) -> bool:
    sign_open, bad_signature = _library()
    try:
        sign_open(envelope.signature + DOMAIN + envelope.message, public_key)
    except bad_signature:
        return False
    return True


@cache
def _library() -> tuple[Callable[[bytes, bytes], bytes], type[Exception]]:
    """What verifies, and what it raises."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    return crypto_sign_open, BadSignatureError
