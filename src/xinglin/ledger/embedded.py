"""The embedded ledger: the state machine on one machine, in one file, without consensus.

It is tamper-evident, not tamper-proof: the owner of the machine can create the file again from its beginning. Only a
checkpoint held by another party reveals that.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from xinglin.core.clock import Clock
from xinglin.core.files import write_atomic
from xinglin.ledger.codes import Code
from xinglin.ledger.keys import signing_key
from xinglin.ledger.port import Receipt
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.state.machine import BlockResult, Machine
from xinglin.ledger.state.pruning import KEPT
from xinglin.ledger.state.reading import LedgerReader
from xinglin.ledger.state.store import Store
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import digest_of

__all__ = ["EmbeddedLedger"]

_FILE, _GENESIS = "ledger.sqlite", "genesis.json"
_BLOCK = 2_048


class _Waiting:
    """Transactions of one caller that wait for a block; a failure is raised in the caller's thread."""

    def __init__(self, transactions: Sequence[bytes]) -> None:
        self.transactions = transactions
        self.receipts: list[Receipt] = []
        self.failure: BaseException | None = None
        self.done = False


class EmbeddedLedger(LedgerReader):
    """A `Ledger` in a folder. Safe to use from several threads and processes at once.

    Args:
        folder: Holds ledger.sqlite and genesis.json.
        clock: Gives the block time; a block is never earlier than its predecessor.
        kept: Number of latest blocks whose state can be proved.

    Raises:
        NotFound: The folder has no ledger (`EmbeddedLedger.create`).

    Example:
        >>> import tempfile; from xinglin.core.clock import system_clock
        >>> from xinglin.ledger.state.genesis import Founder
        >>> folder = Path(tempfile.mkdtemp())
        >>> genesis = Genesis("region", 0, (Founder("hospital", bytes(32), None, 1),))
        >>> ledger = EmbeddedLedger.create(folder, genesis, system_clock)
        >>> ledger.height(), ledger.submit([b"no transaction"])[0].code.name
        (0, 'MALFORMED')
        >>> ledger.close()
    """

    def __init__(self, folder: Path, clock: Clock, kept: int = KEPT) -> None:
        super().__init__(folder / _FILE, kept)
        self._machine = Machine(self._store)
        self._clock = clock
        self._queue: list[_Waiting] = []
        self._queued = threading.Lock()
        self._leading = threading.Lock()

    @classmethod
    def create(cls, folder: Path, genesis: Genesis, clock: Clock) -> EmbeddedLedger:
        """Create a ledger, or open the existing one with the same genesis.

        Raises:
            Conflict: The existing ledger has another genesis.
            BadInput: The genesis is invalid.
        """
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder / _FILE)
        try:
            Machine(store).genesis(genesis)
        finally:
            store.close()
        write_atomic(folder / _GENESIS, genesis.to_json().encode())
        return cls(folder, clock)

    @classmethod
    def resume(cls, folder: Path, clock: Clock) -> EmbeddedLedger | None:
        """Open a ledger whose genesis.json is missing after a crash during creation; None if there is no ledger."""
        if not (folder / _FILE).is_file():
            return None
        store = Store(folder / _FILE)
        try:
            kept = store.writer.meta("genesis")
        finally:
            store.close()
        if kept is None:
            return None
        write_atomic(folder / _GENESIS, kept)
        return cls(folder, clock)

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        """Commit transactions in one block with those of other waiting threads.

        Args:
            transactions: Signed transactions.
            wait: Ignored: the call returns when the transactions are durable.
        """
        self._machine.cache.verify_ahead(transactions, self._known_key)
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
        value = self._store.reader.state(signing_key(key_id))
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
            # A refused transaction may be in the log already, from an earlier submission.
            logged = None if code is Code.OK else self._store.writer.entry(digest)
            if logged is not None:
                receipts.append(Receipt(digest, Code.OK, logged.height, logged.index))
            else:
                receipts.append(Receipt(digest, code, height if code is Code.OK else None, index))
        return receipts

    def close(self) -> None:
        """Close the file and stop the threads."""
        self._machine.cache.close()
        super().close()
