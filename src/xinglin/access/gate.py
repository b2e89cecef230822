"""The one door to the data: decides a request, writes the decision down, and only then gives the permit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xinglin.access.decision import Decision
from xinglin.core.clock import Clock
from xinglin.core.intent import Intent
from xinglin.core.permit import Permit

__all__ = ["Gate", "Relation", "Verdict"]


class Relation(Protocol):
    """Whether somebody is treated somewhere: identity knows."""

    def __call__(self, institution: str, person: int) -> bool:
        """Whether the person has records of the institution."""
        ...


@dataclass(frozen=True)
class Verdict:
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


class Gate:
    """Decides, audits, permits."""

    @classmethod
    def open(cls, folder: Path, ledger: object, clock: Clock, relation: Relation | None = None) -> Gate:
        """Open the gate of one region.

        Args:
            folder: `home/access`; created with mode 700.
            ledger: The region's ledger (`xinglin.ledger.port.Ledger`); None for none.
            clock: The time.
            relation: Who is treated where; without it nobody is.
        """
        raise NotImplementedError

    def judge(self, credential: str | None, intent: Intent, partial: bool = False) -> Verdict:
        """Decide and write down, without raising.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.
            partial: Whether the rest is of use where a consent withholds some data classes.
        """
        raise NotImplementedError

    def authorise(self, credential: str | None, intent: Intent) -> Permit:
        """Decide and write down.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.

        Raises:
            AccessDenied: It is not permitted.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Seal what was written and close."""
        raise NotImplementedError
