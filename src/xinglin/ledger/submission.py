"""Hands one transaction in and waits until a block holds it."""

from __future__ import annotations

from xinglin.core.errors import Conflict, LedgerUnavailable
from xinglin.ledger.codes import Code
from xinglin.ledger.port import Ledger

__all__ = ["submit_and_wait"]


def submit_and_wait(ledger: Ledger, transaction: bytes, what: str, remedy: str) -> None:
    """Hand a transaction in, and come back when it is durable.

    Args:
        ledger: The ledger.
        transaction: Signed.
        what: What the ledger is asked for, as the refusal names it.
        remedy: What helps where it is refused.

    Raises:
        Conflict: The ledger refuses.
        LedgerUnavailable: The ledger does not answer, or makes no blocks; call it again.
    """
    [receipt] = ledger.submit([transaction])
    if receipt.code is not Code.OK:
        raise Conflict(f"the ledger refuses {what}: {receipt.code.reason}", source=ledger.chain_id, remedy=remedy)
    if receipt.height is None:
        raise LedgerUnavailable("the ledger has not answered yet", source=ledger.chain_id, retry=True)
