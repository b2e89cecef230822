"""The port `Ledger` and its data types; implemented by the embedded ledger and the consortium ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xinglin.ledger.codes import Code

__all__ = ["ConsistencyProof", "Header", "Ledger", "LogEntry", "LogProof", "MapProof", "Receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of one transaction.

    Attributes:
        digest: SHA-256 of the transaction's bytes.
        code: OK, or the reason for refusal.
        height: Height of its block; None if refused or not waited for.
        index: Position in the log; None if refused or not waited for.
    """

    digest: bytes
    code: Code
    height: int | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A transaction in the log: bytes, position (from 0) and block height."""

    transaction: bytes
    index: int
    height: int


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a block.

    Attributes:
        height: Block number; 0 is the genesis.
        time: Unix seconds.
        size: Number of transactions in the log after the block.
        log_root: RFC 6962 root over the log.
        state_root: Root of the authenticated map.
        app_hash: SHA-256 over both roots; signed by the institutions.
    """

    height: int
    time: int
    size: int
    log_root: bytes
    state_root: bytes
    app_hash: bytes


@dataclass(frozen=True, slots=True)
class LogProof:
    """Inclusion proof: a transaction is entry `index` of a log of `size` entries (RFC 6962, 2.1.1).

    Attributes:
        index: Position of the entry, from 0.
        size: Number of entries in the log.
        path: Audit path, from the leaf upwards.
        root: Root of the log at that size.
    """

    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """Consistency proof: the log of `first` entries is a prefix of the log of `second` entries (RFC 6962, 2.1.2)."""

    first: int
    second: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MapProof:
    """Proof of presence or absence of a key in the state; verified by `ledger.state.authmap.check_proof`.

    Attributes:
        key: The state key.
        value: Value bytes; None proves absence.
        path: Sibling hashes, from the root downwards; 32 zero bytes for an empty subtree.
        other: For absence, the leaf (key hash, value hash) at the position of the key; None if the position is
            empty or the key is present.
        root: The state root.
        height: Height of the block whose state is proved.
    """

    key: bytes
    value: bytes | None
    path: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None
    root: bytes
    height: int


class Ledger(Protocol):
    """A ledger, as one institution uses it. All methods are thread-safe.

    All methods raise `LedgerUnavailable` if the ledger does not answer; a retry can help.
    """

    @property
    def chain_id(self) -> str:
        """The chain id; part of every transaction, so that none is valid on two ledgers."""

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        """Submit transactions and wait until they are durable.

        For a transaction that is already in the log the receipt gives its position, so submitting again after a
        crash adds nothing.

        Args:
            transactions: Signed transactions from `Signer.sign`.
            wait: Seconds to wait for the commit; None waits without limit, 0 does not wait. A receipt with code OK
                and no height means accepted but not known to be committed.

        Returns:
            One receipt per transaction, in the same order. A refused transaction does not stop the others.
        """

    def height(self) -> int:
        """Height of the last committed block."""

    def app_hash(self) -> bytes:
        """App hash of the last committed block."""

    def header(self, height: int | None = None) -> Header:
        """Header of a committed block; by default of the last one.

        Raises:
            NotFound: There is no such block.
        """

    def mark(self) -> object:
        """A cheap token that differs (`!=`) after each commit of any process; only for comparison."""

    def state(self, key: bytes) -> bytes | None:
        """A state value (canonical CBOR) at the last commit; None if the key is absent."""

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys with a prefix and their values, at the last commit."""

    def transaction(self, digest: bytes) -> LogEntry | None:
        """The log entry of the transaction with this SHA-256; None if it is not in the log."""

    def log_proof(self, digest: bytes, height: int | None = None) -> LogProof:
        """Inclusion proof of a transaction in the log of a block; by default of the last one.

        Raises:
            NotFound: The transaction is not in the log of that block.
        """

    def consistency_proof(self, first: int, second: int) -> ConsistencyProof:
        """Consistency proof between two sizes of the log.

        Raises:
            NotFound: The log is shorter.
        """

    def state_proof(self, key: bytes, height: int | None = None) -> MapProof:
        """Proof of presence or absence of a key after a block; by default after the last one."""

    def close(self) -> None:
        """Close files and connections."""
