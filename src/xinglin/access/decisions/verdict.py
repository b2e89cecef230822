"""A decision that is in the audit log, and how a refusal is told to a program."""

from __future__ import annotations

from typing import NamedTuple

from xinglin.access.decisions.decision import Decision
from xinglin.core.errors import AccessDenied
from xinglin.core.permit import Permit

__all__ = ["Verdict", "denied"]


class Verdict(NamedTuple):
    """A decision that is in the audit log.

    Args:
        decision: What was decided.
        permit: What may be read and written; `xinglin.core.permit.CLOSED` where it was refused.
        event: Identifier of the AuditEvent.
        height: Height of the ledger whose state was counted; -1 where the ledger could not be asked.
    """

    decision: Decision
    permit: Permit
    event: str
    height: int


def denied(verdict: Verdict) -> AccessDenied:
    """The error of a refusal.

    Args:
        verdict: The verdict.
    """
    return AccessDenied(
        f"access is denied: {verdict.decision.reason}",
        source=f"decision {verdict.event}",
        remedy="ask with a credential, a purpose and a person for which it is permitted",
    )
