"""Whether a request is permitted: a pure function of the request and of what is known, deny by default."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from xinglin.access.actor import Actor
from xinglin.core.intent import Intent

__all__ = [
    "BREAK_GLASS",
    "CONSENT_DENIES",
    "CONSENT_MISSING",
    "NOT_OWN_RECORD",
    "NO_REASON_GIVEN",
    "NO_RELATION",
    "OUTSIDE_ROLE",
    "PERMITTED",
    "UNKNOWN_PURPOSE",
    "Decision",
    "Request",
    "World",
    "decide",
]

PERMITTED = "permitted"
BREAK_GLASS = "break-glass"
"""Permitted, because an emergency goes before what is missing; flagged."""
UNKNOWN_PURPOSE = "unknown-purpose"
OUTSIDE_ROLE = "outside-role"
NOT_OWN_RECORD = "not-own-record"
NO_RELATION = "no-relation"
NO_REASON_GIVEN = "break-glass-without-reason"
CONSENT_DENIES = "consent-denies"
CONSENT_MISSING = "consent-missing"


@dataclass(frozen=True)
class Request:
    """One request for access.

    Args:
        actor: Who asks; None where the credential did not hold.
        intent: What is to be done, why, and with whose records.
        refused: Why the credential did not hold.
        partial: Whether the rest is of use where a consent withholds some data classes.
    """

    actor: Actor | None
    intent: Intent
    refused: str = ""
    partial: bool = False


@dataclass(frozen=True)
class World:
    """What is known at the moment of the decision.

    Args:
        now: The time.
        related: Whether the person has records at the actor's institution.
    """

    now: datetime
    related: bool = False


@dataclass(frozen=True)
class Decision:
    """What was decided, and why.

    Args:
        permit: Whether it is permitted.
        reason: One of the constants of this file or of `xinglin.access.actor`.
        withheld: Data classes that must be left out of what is given.
        without: Persons who must be left out of a population, because they denied the purpose.
        consents: Handles of the consents that were counted.
    """

    permit: bool
    reason: str
    withheld: frozenset[str] = frozenset()
    without: frozenset[int] = frozenset()
    consents: tuple[str, ...] = field(default=())


def decide(request: Request, world: World) -> Decision:
    """Decide one request.

    Args:
        request: Who asks for what.
        world: What is known.
    """
    raise NotImplementedError
