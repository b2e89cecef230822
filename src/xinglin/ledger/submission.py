"""Submit one transaction and wait for its block."""

from __future__ import annotations

from xinglin.core.errors import Conflict, LedgerUnavailable
from xinglin.ledger.codes import Code
from xinglin.ledger.port import Ledger

__all__ = ["submit_and_wait"]


def submit_and_wait(ledger: Ledger, transaction: bytes, what: str, remedy: str) -> None:
    """Submit a transaction and return when it is durable.

    Args:
        ledger: The ledger.
        transaction: The signed transaction.
        what: Name of the request in the error message.
        remedy: Remedy in the error message.

    Raises:
        Conflict: The ledger refuses the transaction.
        LedgerUnavailable: The ledger does not answer or makes no blocks; call again.
    """
    [receipt] = ledger.submit([transaction])
    if receipt.code is not Code.OK:
        raise Conflict(f"the ledger refused {what}: {receipt.code.reason}", source=ledger.chain_id, remedy=remedy)
    if receipt.height is None:
        raise LedgerUnavailable(f"the ledger has not committed {what} yet", source=ledger.chain_id, retry=True)
