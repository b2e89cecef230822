"""What the transactions that wait for a block would change, so that one that cannot apply is refused at once."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.state import rules
from xinglin.ledger.state.machine import Machine
from xinglin.ledger.transactions.envelope import Refused

__all__ = ["Mempool"]


class Mempool:
    """The state as it would be if every waiting transaction were in the next block, in the order of arrival.

    It decides only what a node lets wait. Blocks are judged by the state machine alone, so that two nodes whose
    transactions arrived in another order never disagree about a block.

    Args:
        machine: Judges envelopes and signatures, knows the committed state and remembers what it read.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._view = machine.view()

    def reset(self) -> None:
        """A block was committed: the node now asks again about whatever still waits."""
        self._view = self._machine.view()

    def check(self, transaction: bytes, now: int) -> Code:
        """Whether a transaction may wait (ABCI 2.0, CheckTx).

        Args:
            transaction: Its bytes.
            now: Unix seconds.
        """
        opened = self._machine.cache.open(transaction)
        code = self._machine.check_opened(opened, now)
        if code is not Code.OK or opened.envelope is None or opened.body is None:
            return code
        try:
            rules.apply(self._view, opened.body, rules.Context(opened.envelope.institution, now, opened.digest))
        except Refused as refused:
            self._view.rollback()
            return refused.code
        self._view.commit()
        return code
