"""Parse and verify each transaction once: the check on arrival is reused in the block."""

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

# Two generations of this size are cached; together more than a node's mempool holds.
_REMEMBERED = 8_000
# Larger transactions are rare and would use too much memory.
_REMEMBERED_BYTES = 4_096
_WORTH_SHARING = 16


@dataclass(slots=True)
class ParsedTransaction:
    """A parsed transaction.

    Attributes:
        digest: SHA-256 of the transaction.
        envelope: The envelope; None if malformed.
        body: The body; None if malformed.
        code: OK, or why it could not be parsed.
        verified: Public key for which the signature is valid.
        failed: Public key for which the signature is invalid.
    """

    digest: bytes
    envelope: Envelope | None
    body: Body | None
    code: Code
    verified: bytes | None = None
    failed: bytes | None = None


class TransactionCache:
    """Cache of parsed and verified transactions; caches only results that never change.

    Thread-safe: concurrent threads compute the same results.
    """

    def __init__(self) -> None:
        self._opened: dict[bytes, ParsedTransaction] = {}
        self._before: dict[bytes, ParsedTransaction] = {}
        self._pool: ThreadPoolExecutor | None = None

    def open(self, transaction: bytes) -> ParsedTransaction:
        """Parse a transaction, or return it from the cache."""
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
        """Whether the signature is valid for this key."""
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
        """Parse transactions and verify those whose key is known.

        Parsing all and then verifying all takes a quarter less time than alternating.

        Args:
            transactions: The transactions.
            key_of: The presumed public key of a key id; checked again in the block.
            spread: Use all cores; takes more CPU time in total but ends sooner if cores are idle.
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
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()


def _open(transaction: bytes, digest: bytes) -> ParsedTransaction:
    envelope = None
    try:
        envelope = open_envelope(transaction)
        return ParsedTransaction(digest, envelope, read_body(envelope.type, envelope.body), Code.OK)
    except Refused as refused:
        # A malformed body can be a thousand times larger in memory than in bytes.
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
    """The verification function and the exception that it raises."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    return crypto_sign_open, BadSignatureError
