"""The consortium ledger as a `Ledger`: submits to the institution's own node, reads its own store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from xinglin.core.errors import LedgerUnavailable
from xinglin.ledger.codes import Code
from xinglin.ledger.consortium.rpc import CheckResult, NodeClient
from xinglin.ledger.port import Receipt
from xinglin.ledger.state.reading import LedgerReader
from xinglin.ledger.transactions.envelope import MAX_BYTES, digest_of

__all__ = ["CometLedger"]

_CODES = {int(code): code for code in Code}
_AT_ONCE = 16
_LOOK = 0.02
_ASK_AGAIN = 1.0


class CometLedger(LedgerReader):
    """A `Ledger` that several institutions run.

    Reads come from the institution's own store, without network. If the node is down or has no majority, only
    submitting fails.

    Args:
        url: RPC address of the own node, ``http://host:port``.
        store: Store of the own application.
        patience: Seconds without a new block after which an unlimited wait ends.
    """

    def __init__(self, url: str, store: Path, patience: float = 60.0) -> None:
        super().__init__(store)
        self._client = NodeClient(url)
        self._patience = patience
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        """Submit transactions to the own node and wait until the own store has them.

        Args:
            transactions: Signed transactions.
            wait: Seconds to wait for the commit; None waits until each is committed or refused; 0 returns after the
                node has checked them.

        Returns:
            One receipt per transaction, in the same order; without height if not committed in time.

        Raises:
            LedgerUnavailable: The node does not answer, or an unlimited wait saw no new block for too long.
        """
        receipts = {digest: found for digest in map(digest_of, transactions) if (found := self._committed(digest))}
        receipts.update(
            (digest_of(tx), Receipt(digest_of(tx), Code.OVERSIZED)) for tx in transactions if len(tx) > MAX_BYTES
        )
        waiting = {digest: tx for tx in transactions if (digest := digest_of(tx)) not in receipts}
        self._submit(waiting, receipts)
        if wait != 0:
            self._follow(waiting, receipts, wait)
        receipts.update({digest: Receipt(digest, Code.OK) for digest in waiting})
        return [receipts[digest_of(tx)] for tx in transactions]

    def close(self) -> None:
        """Close files and connections."""
        if self._pool:
            self._pool.shutdown()
        self._client.close()
        super().close()

    def _follow(self, waiting: dict[bytes, bytes], receipts: dict[bytes, Receipt], wait: float | None) -> None:
        """Move committed and refused transactions from `waiting` to `receipts` until the time is over."""
        began = asked = progress = time.monotonic()
        mark: object = None
        while waiting:
            now = time.monotonic()
            if self.mark() != mark:
                mark, progress = self.mark(), now
                self._collect(waiting, receipts)
            elif wait is None and now - progress > self._patience:
                raise LedgerUnavailable(
                    "the ledger makes no blocks: a third or more of the voting power is unavailable",
                    source=self._client.url,
                    remedy="check the nodes: xinglin ledger status",
                    retry=True,
                )
            elif now - asked > _ASK_AGAIN:
                # A transaction that became invalid leaves the mempool silently; submitting again returns the reason.
                self._submit(waiting, receipts)
                asked = time.monotonic()
            if not waiting or (wait is not None and now - began > wait):
                return
            time.sleep(_LOOK)

    def _collect(self, waiting: dict[bytes, bytes], receipts: dict[bytes, Receipt]) -> None:
        for digest in list(waiting):
            found = self._committed(digest)
            if found:
                receipts[digest] = found
                del waiting[digest]

    def _committed(self, digest: bytes) -> Receipt | None:
        found = self.transaction(digest)
        return Receipt(digest, Code.OK, found.height, found.index) if found else None

    def _submit(self, waiting: dict[bytes, bytes], receipts: dict[bytes, Receipt]) -> None:
        """Submit transactions to the node; adds a receipt for each refused one."""
        for digest, said in zip(list(waiting), self._checked(list(waiting.values())), strict=True):
            if said.code:
                # A transaction that was just committed is refused as a duplicate.
                receipts[digest] = self._committed(digest) or Receipt(digest, _CODES[said.code])
                del waiting[digest]

    def _checked(self, transactions: list[bytes]) -> list[CheckResult]:
        if len(transactions) < 2:
            return [self._client.submit(tx) for tx in transactions]
        if self._pool is None:
            # The node delays each check by up to 20 ms to batch them; concurrent requests share that delay.
            self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="submit")
        return list(self._pool.map(self._client.submit, transactions))
