"""The ledger of one machine: the same state machine over one file, without consensus.

It is tamper-evident, not tamper-proof: whoever holds the machine can begin the file anew, and only a checkpoint that
somebody else keeps shows it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from xinglin.core.clock import Clock
from xinglin.core.errors import NotFound
from xinglin.core.files import write_atomic
from xinglin.ledger import authmap, cbor, log
from xinglin.ledger.codes import Code
from xinglin.ledger.envelope import digest_of
from xinglin.ledger.genesis import Genesis
from xinglin.ledger.machine import BlockResult, Machine
from xinglin.ledger.port import ConsistencyProof, Header, Logged, LogProof, MapProof, Receipt
from xinglin.ledger.store import Store

__all__ = ["EmbeddedLedger"]

_FILE, _GENESIS = "ledger.sqlite", "genesis.json"
_BLOCK = 2_048
_SEEN = frozenset({Code.REPLAYED_SEQ, Code.STALE_SEQ})


class _Waiting:
    """Transactions of one caller, waiting for a block; what failed is raised where they came from."""

    def __init__(self, transactions: Sequence[bytes]) -> None:
        self.transactions = transactions
        self.receipts: list[Receipt] = []
        self.failure: BaseException | None = None
        self.done = False


class EmbeddedLedger:
    """A `Ledger` in a folder. Several threads and several processes may use the same folder at once.

    Args:
        folder: Holds ledger.sqlite and genesis.json.
        clock: Gives the blocks their time; a block is never earlier than the one before.

    Raises:
        NotFound: No ledger was begun there (`EmbeddedLedger.create`).

    Example:
        >>> import tempfile; from xinglin.core.clock import system_clock; from xinglin.ledger.genesis import Founder
        >>> folder = Path(tempfile.mkdtemp())
        >>> genesis = Genesis("region", 0, (Founder("hospital", bytes(32), None, 1),))
        >>> ledger = EmbeddedLedger.create(folder, genesis, system_clock)
        >>> ledger.height(), ledger.submit([b"no transaction"])[0].code.name
        (0, 'MALFORMED')
        >>> ledger.close()
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        if not (folder / _FILE).exists():
            raise NotFound("there is no ledger here", source=str(folder), remedy="run `xinglin init`")
        self._store = Store(folder / _FILE)
        self._machine = Machine(self._store)
        self._clock = clock
        self._chain_id = self._machine.chain_id
        self._queue: list[_Waiting] = []
        self._queued = threading.Lock()
        self._leading = threading.Lock()

    @classmethod
    def create(cls, folder: Path, genesis: Genesis, clock: Clock) -> EmbeddedLedger:
        """Begin a ledger, or open the one that began with the same genesis.

        Raises:
            Conflict: One with another genesis is there.
            BadInput: No chain could begin with this genesis.
        """
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder / _FILE)
        try:
            Machine(store).genesis(genesis)
        finally:
            store.close()
        write_atomic(folder / _GENESIS, genesis.to_json().encode())
        return cls(folder, clock)

    @property
    def chain_id(self) -> str:
        """The chain's name."""
        return self._chain_id

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        """Commit transactions, together with those that other threads hand in meanwhile.

        Args:
            transactions: Signed transactions.
            wait: Not needed here: the answer comes when they are durable.
        """
        self._machine.arrivals.verify_ahead(transactions, self._known_key)
        receipts: list[Receipt] = []
        for start in range(0, len(transactions), _BLOCK):
            waiting = _Waiting(transactions[start : start + _BLOCK])
            with self._queued:
                self._queue.append(waiting)
            while not waiting.done:
                with self._leading:
                    if not waiting.done:
                        self._commit_group()
            if waiting.failure is not None:
                raise waiting.failure
            receipts += waiting.receipts
        return receipts

    def _known_key(self, key_id: str) -> bytes | None:
        value = self._store.reader.state(b"key/" + key_id.encode())
        return None if value is None else cbor.decode(value)["public_key"]

    def _commit_group(self) -> None:
        with self._queued:
            total = taken = 0
            for taken, waiting in enumerate(self._queue, 1):  # noqa: B007
                total += len(waiting.transactions)
                if total >= _BLOCK:
                    break
            group, self._queue = self._queue[:taken], self._queue[taken:]
        try:
            self._execute(group)
        except BaseException as failure:
            for waiting in group:
                waiting.failure = failure
        finally:
            for waiting in group:
                waiting.done = True

    def _execute(self, group: list[_Waiting]) -> None:
        transactions = [one for waiting in group for one in waiting.transactions]
        self._store.begin()
        try:
            self._machine.refresh()
            last = self._machine.header
            time = max(int(self._clock().timestamp()), last.time)
            result = self._machine.execute(last.height + 1, time, transactions)
            if Code.OK in result.codes:
                self._machine.commit()
        finally:
            self._store.rollback()
        receipts = iter(self._receipts(transactions, result, last.height + 1))
        for waiting in group:
            waiting.receipts = [next(receipts) for _ in waiting.transactions]

    def _receipts(self, transactions: list[bytes], result: BlockResult, height: int) -> list[Receipt]:
        receipts = []
        for transaction, code, index in zip(transactions, result.codes, result.indexes, strict=True):
            digest = digest_of(transaction)
            logged = self._store.writer.entry(digest) if code in _SEEN else None
            if logged is not None:
                receipts.append(Receipt(digest, Code.OK, logged.height, logged.index))
            else:
                receipts.append(Receipt(digest, code, height if code is Code.OK else None, index))
        return receipts

    def height(self) -> int:
        """The last committed block."""
        return self.header().height

    def app_hash(self) -> bytes:
        """What the last committed block commits to."""
        return self.header().app_hash

    def header(self, height: int | None = None) -> Header:
        """A committed block's commitments, the last one's when no height is given."""
        header = self._store.reader.header(height)
        if header is None:
            raise NotFound(f"the ledger has no block {height}", source=self._chain_id)
        return header

    def genesis(self) -> Genesis:
        """How the chain began."""
        return Genesis.from_json(self._store.reader.meta("genesis") or b"")

    def mark(self) -> object:
        """Something cheap that differs after every commit, by whatever process."""
        return self._store.mark()

    def state(self, key: bytes) -> bytes | None:
        """A state value at the last commit."""
        return self._store.reader.state(key)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys that begin with a prefix, and their values, at the last commit."""
        return list(self._store.reader.scan(prefix))

    def transaction(self, digest: bytes) -> Logged | None:
        """The transaction with this SHA-256, if it is in the log."""
        return self._store.reader.entry(digest)

    def log_proof(self, digest: bytes, height: int | None = None) -> LogProof:
        """That a transaction is in the log of a block, of the last one when no height is given."""
        header, logged = self.header(height), self.transaction(digest)
        if logged is None or logged.index >= header.size:
            raise NotFound(f"no such transaction is in the log of block {header.height}", source=self._chain_id)
        path = log.audit_path(logged.index, header.size, self._store.reader.subtree)
        return LogProof(logged.index, header.size, path, header.log_root)

    def consistency_proof(self, first: int, second: int) -> ConsistencyProof:
        """That the log only grew between two sizes."""
        if not 0 <= first <= second <= self.header().size:
            raise NotFound(f"the log does not grow from {first} to {second} entries", source=self._chain_id)
        path = log.consistency_path(first, second, self._store.reader.subtree)
        return ConsistencyProof(first, second, path)

    def state_proof(self, key: bytes, height: int | None = None) -> MapProof:
        """That a key has its value, or none, after a block, the last one when no height is given."""
        header = self.header(height)
        return authmap.prove(header.state_root, key, self._store.reader.node, header.height)

    def close(self) -> None:
        """Let go of the file."""
        self._machine.arrivals.close()
        self._store.close()
