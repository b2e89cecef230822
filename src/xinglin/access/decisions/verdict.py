"""A decision that is in the audit log."""

from __future__ import annotations

from typing import NamedTuple

from xinglin.access.decisions.decision import Decision
from xinglin.core.permit import Permit

__all__ = ["Verdict"]


class Verdict(NamedTuple):
    """A decision that is in the audit log.

    Args:
        decision: The decision.
        permit: What may be read and written; `xinglin.core.permit.CLOSED` if the request was refused.
        event: Id of the AuditEvent.
        height: Ledger height of the consents that were used; -1 if the ledger was unavailable.
    """

    decision: Decision
    permit: Permit
    event: str
    height: int
