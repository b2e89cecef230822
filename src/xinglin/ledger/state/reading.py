"""The reading half of a ledger: blocks, log, state and proofs from its store."""

from __future__ import annotations

from pathlib import Path

from xinglin.core.errors import NotFound, VerificationFailed
from xinglin.ledger.keys import CHAIN
from xinglin.ledger.port import ConsistencyProof, Header, LogEntry, LogProof, MapProof
from xinglin.ledger.state import authmap, log, pruning
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.state.sqlite_errors import RESTORE, require_file
from xinglin.ledger.state.store import Store
from xinglin.ledger.transactions import cbor

__all__ = ["LedgerReader"]


class LedgerReader:
    """The reading half of a `Ledger`. Thread-safe.

    Args:
        path: File of the store.
        kept: Number of latest blocks whose state can be proved, if this process writes.

    Raises:
        NotFound: The file does not exist.
    """

    def __init__(self, path: Path, kept: int = pruning.KEPT) -> None:
        require_file(path)
        self._store = Store(path, kept)

    @property
    def chain_id(self) -> str:
        """The chain id."""
        chain = self.state(CHAIN)
        if chain is None:
            raise NotFound("the ledger has no genesis yet", source=str(self._store.path))
        name: str = cbor.decode(chain)["chain_id"]
        return name

    def height(self) -> int:
        """Height of the last committed block."""
        return self.header().height

    def app_hash(self) -> bytes:
        """App hash of the last committed block."""
        return self.header().app_hash

    def header(self, height: int | None = None) -> Header:
        """Header of a committed block; by default of the last one."""
        header = self._store.reader.header(height)
        if header is None and height is None:
            remedy = "wait for its first block; if it had blocks before: xinglin ledger audit"
            raise NotFound("the ledger has no block yet", source=str(self._store.path), remedy=remedy)
        if header is None:
            raise NotFound(f"the ledger has no block {height}", source=str(self._store.path))
        return header

    def genesis(self) -> Genesis:
        """The genesis of the chain."""
        text = self._store.reader.meta("genesis")
        if text is None:
            raise VerificationFailed(
                "the genesis is missing in the ledger's file", source=str(self._store.path), remedy=RESTORE
            )
        return Genesis.from_json(text)

    def mark(self) -> object:
        """A token that differs after each commit of any process; read in less than a microsecond."""
        return self._store.mark()

    def state(self, key: bytes) -> bytes | None:
        """A state value at the last commit."""
        return self._store.reader.state(key)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys with a prefix and their values, at the last commit."""
        return list(self._store.reader.scan(prefix))

    def transaction(self, digest: bytes) -> LogEntry | None:
        """The log entry of the transaction with this SHA-256; None if there is none."""
        return self._store.reader.entry(digest)

    def log_proof(self, digest: bytes, height: int | None = None) -> LogProof:
        """Inclusion proof of a transaction in the log of a block; by default of the last one."""
        header, logged = self.header(height), self.transaction(digest)
        if logged is None or logged.index >= header.size:
            raise NotFound(f"the transaction is not in the log of block {header.height}", source=str(self._store.path))
        path = log.audit_path(logged.index, header.size, self._store.reader.subtree)
        return LogProof(logged.index, header.size, path, header.log_root)

    def consistency_proof(self, first: int, second: int) -> ConsistencyProof:
        """Consistency proof between two sizes of the log."""
        if not 0 <= first <= second <= self.header().size:
            raise NotFound(f"the log has no sizes {first} and {second}", source=str(self._store.path))
        path = log.consistency_path(first, second, self._store.reader.subtree)
        return ConsistencyProof(first, second, path)

    def state_proof(self, key: bytes, height: int | None = None) -> MapProof:
        """Proof of presence or absence of a key after a block; by default after the last one.

        Raises:
            StatePruned: The state after that block was pruned.
        """
        rows = self._store.reader
        with rows.snapshot():
            header = self.header(height)
            if header.height < pruning.oldest(rows.connection):
                raise pruning.StatePruned(
                    f"the state after block {header.height} was pruned",
                    source=str(self._store.path),
                    remedy="prove it after a newer block, or increase [ledger] states",
                    retry=True,
                )
            return authmap.prove(rows.state_root(header.height), key, rows.node, header.height)

    def close(self) -> None:
        """Close the file."""
        self._store.close()
