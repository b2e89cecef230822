"""The mempool state: refuses transactions that are invalid after the ones already waiting."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.state import rules
from xinglin.ledger.state.machine import Machine
from xinglin.ledger.transactions.envelope import Refused

__all__ = ["Mempool"]


class Mempool:
    """The state after all waiting transactions, in the order of arrival.

    It decides only which transactions may wait. Blocks are validated by the state machine alone, so the order of
    arrival does not affect them.

    Args:
        machine: Checks envelopes and signatures, and holds the committed state.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._view = machine.view()

    def reset(self) -> None:
        """Start from the committed state after a block; the node rechecks the waiting transactions."""
        self._view = self._machine.view()

    def check(self, transaction: bytes, now: int) -> Code:
        """Check whether a transaction may wait (ABCI 2.0, CheckTx).

        Args:
            transaction: The transaction's bytes.
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
