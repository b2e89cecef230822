"""What every ledger can do, however many institutions hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xinglin.ledger.codes import Code

__all__ = ["ConsistencyProof", "Header", "Ledger", "LogEntry", "LogProof", "MapProof", "Receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one transaction.

    Attributes:
        digest: SHA-256 of the transaction's bytes.
        code: OK, or why it was refused.
        height: The block that holds it; None when refused, or not waited for.
        index: Its place in the log; None when refused, or not waited for.
    """

    digest: bytes
    code: Code
    height: int | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A transaction in the log: its bytes, place (from 0) and block."""

    transaction: bytes
    index: int
    height: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a block commits to.

    Attributes:
        height: Its number; 0 is the genesis.
        time: Unix seconds.
        size: Transactions in the log after it.
        log_root: RFC 6962 root over them.
        state_root: Root of the authenticated map.
        app_hash: SHA-256 over both, which the institutions sign.
    """

    height: int
    time: int
    size: int
    log_root: bytes
    state_root: bytes
    app_hash: bytes


@dataclass(frozen=True, slots=True)
class LogProof:
    """That a transaction is entry `index` of a log of `size` entries (RFC 6962, 2.1.1).

    Attributes:
        index: The entry, from 0.
        size: Entries in the log.
        path: The audit path, from the leaf upwards.
        root: The log's root at that size.
    """

    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the log of `first` entries is the beginning of the log of `second` entries (RFC 6962, 2.1.2)."""

    first: int
    second: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MapProof:
    """That a key has a value, or none, in the state of a height; `ledger.authmap.check_proof` checks it.

    Attributes:
        key: The state key.
        value: Its bytes; None proves that there is none.
        path: The sibling hashes, from the root downwards; 32 zero bytes stand for an empty subtree.
        other: For an absence, the leaf (key hash, value hash) that stands where the key's would; None when the
            place is empty or the key is there.
        root: The state root.
        height: The block after which it holds.
    """

    key: bytes
    value: bytes | None
    path: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None
    root: bytes
    height: int


class Ledger(Protocol):
    """One ledger, seen from one institution. Every method may be called from any thread.

    Every method raises `LedgerUnavailable` when the ledger cannot answer now; trying again can help.
    """

    @property
    def chain_id(self) -> str:
        """The name that every transaction carries, so that none is valid on two ledgers."""

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        """Hand transactions in, and wait until they are durable.

        A transaction that is in the log already is answered with its place, so handing in again after a crash
        doubles nothing.

        Args:
            transactions: Signed transactions, as `Signer.sign` makes them.
            wait: Seconds to wait for the commit; None waits as long as it takes, 0 not at all. A receipt that
                says OK without a height was accepted and is not known to be committed.

        Returns:
            One receipt for each, in the same order. A refused one does not stop the others.
        """

    def height(self) -> int:
        """The last committed block."""

    def app_hash(self) -> bytes:
        """What the last committed block commits to."""

    def header(self, height: int | None = None) -> Header:
        """A committed block's commitments, the last one's when no height is given.

        Raises:
            NotFound: There is no such block.
        """

    def mark(self) -> object:
        """Something cheap that differs (`!=`) after every commit, by whatever process; only for comparison."""

    def state(self, key: bytes) -> bytes | None:
        """A state value (canonical CBOR) at the last commit."""

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys that begin with a prefix, and their values, at the last commit."""

    def transaction(self, digest: bytes) -> LogEntry | None:
        """The transaction with this SHA-256, if it is in the log."""

    def log_proof(self, digest: bytes, height: int | None = None) -> LogProof:
        """That a transaction is in the log of a block, of the last one when no height is given.

        Raises:
            NotFound: It is not in that block's log.
        """

    def consistency_proof(self, first: int, second: int) -> ConsistencyProof:
        """That the log only grew between two sizes.

        Raises:
            NotFound: The log is not that long.
        """

    def state_proof(self, key: bytes, height: int | None = None) -> MapProof:
        """That a key has its value, or none, after a block, the last one when no height is given."""

    def close(self) -> None:
        """Let go of files and connections."""
