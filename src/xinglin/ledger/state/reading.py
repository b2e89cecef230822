"""What any ledger reads from its own store: blocks, log, state and their proofs, by whatever process."""

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
    """The reading half of a `Ledger`. Every method may be called from any thread.

    Args:
        path: The store's file.
        kept: The states of so many last blocks stay provable, where this one writes.

    Raises:
        NotFound: There is none.
    """

    def __init__(self, path: Path, kept: int = pruning.KEPT) -> None:
        require_file(path)
        self._store = Store(path, kept)

    @property
    def chain_id(self) -> str:
        """The chain's name."""
        chain = self.state(CHAIN)
        if chain is None:
            raise NotFound("the ledger has no genesis yet", source=str(self._store.path))
        name: str = cbor.decode(chain)["chain_id"]
        return name

    def height(self) -> int:
        """The last committed block."""
        return self.header().height

    def app_hash(self) -> bytes:
        """What the last committed block commits to."""
        return self.header().app_hash

    def header(self, height: int | None = None) -> Header:
        """A committed block's commitments, the last one's when no height is given."""
        header = self._store.reader.header(height)
        if header is None and height is None:
            remedy = "a new one begins with its first block; of one that had begun: xinglin ledger audit"
            raise NotFound("the ledger has not begun", source=str(self._store.path), remedy=remedy)
        if header is None:
            raise NotFound(f"the ledger has no block {height}", source=str(self._store.path))
        return header

    def genesis(self) -> Genesis:
        """How the chain began."""
        text = self._store.reader.meta("genesis")
        if text is None:
            raise VerificationFailed(
                "the ledger's file lacks its genesis", source=str(self._store.path), remedy=RESTORE
            )
        return Genesis.from_json(text)

    def mark(self) -> object:
        """Something that differs after every commit, by whatever process; it costs less than a microsecond."""
        return self._store.mark()

    def state(self, key: bytes) -> bytes | None:
        """A state value at the last commit."""
        return self._store.reader.state(key)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys that begin with a prefix, and their values, at the last commit."""
        return list(self._store.reader.scan(prefix))

    def transaction(self, digest: bytes) -> LogEntry | None:
        """The transaction with this SHA-256, if it is in the log."""
        return self._store.reader.entry(digest)

    def log_proof(self, digest: bytes, height: int | None = None) -> LogProof:
        """That a transaction is in the log of a block, of the last one when no height is given."""
        header, logged = self.header(height), self.transaction(digest)
        if logged is None or logged.index >= header.size:
            raise NotFound(f"no such transaction is in the log of block {header.height}", source=str(self._store.path))
        path = log.audit_path(logged.index, header.size, self._store.reader.subtree)
        return LogProof(logged.index, header.size, path, header.log_root)

    def consistency_proof(self, first: int, second: int) -> ConsistencyProof:
        """That the log only grew between two sizes."""
        if not 0 <= first <= second <= self.header().size:
            raise NotFound(f"the log does not grow from {first} to {second} entries", source=str(self._store.path))
        path = log.consistency_path(first, second, self._store.reader.subtree)
        return ConsistencyProof(first, second, path)

    def state_proof(self, key: bytes, height: int | None = None) -> MapProof:
        """That a key has its value, or none, after a block, the last one when no height is given.

        Raises:
            StatePruned: The state after that block is past keeping.
        """
        rows = self._store.reader
        with rows.snapshot():
            header = self.header(height)
            if header.height < pruning.oldest(rows.connection):
                raise pruning.StatePruned(
                    f"the state after block {header.height} is not kept any more",
                    source=str(self._store.path),
                    remedy="prove it after a newer block; [ledger] states says how many are kept",
                    retry=True,
                )
            return authmap.prove(rows.state_root(header.height), key, rows.node, header.height)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()
