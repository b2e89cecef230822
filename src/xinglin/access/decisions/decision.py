"""Whether a request is permitted: a pure function of the request and of what is known, deny by default."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from xinglin.access.consent.rule import Counted, Question
from xinglin.access.credentials.actor import NO_CREDENTIAL, Actor
from xinglin.access.decisions.roles import Allowance, allowances
from xinglin.access.terms.data_classes import EVERY_CLASS
from xinglin.access.terms.purposes import BREAK_GLASS as EMERGENCIES
from xinglin.access.terms.purposes import above, known
from xinglin.core.intent import Intent

__all__ = [
    "BREAK_GLASS",
    "CONSENT_DENIES",
    "CONSENT_MISSING",
    "NOT_OWN_RECORD",
    "NO_REASON_GIVEN",
    "NO_RELATION",
    "OTHER_SITE",
    "OUTSIDE_ROLE",
    "PERMITTED",
    "UNKNOWN_PURPOSE",
    "Decision",
    "Request",
    "World",
    "asked_classes",
    "decide",
    "lines_for",
]

PERMITTED = "permitted"
BREAK_GLASS = "break-glass"
"""Permitted, because an emergency goes before what is missing; flagged."""
UNKNOWN_PURPOSE = "unknown-purpose"
OUTSIDE_ROLE = "outside-role"
NOT_OWN_RECORD = "not-own-record"
NO_RELATION = "no-relation"
OTHER_SITE = "other-site"
NO_REASON_GIVEN = "break-glass-without-reason"
CONSENT_DENIES = "consent-denies"
CONSENT_MISSING = "consent-missing"

# What each action is by the codes of http://terminology.hl7.org/CodeSystem/consentaction.
_ACTIONS = {
    "read": frozenset({"access", "use"}),
    "ask": frozenset({"access", "use"}),
    "view": frozenset({"access", "use"}),
    "extract": frozenset({"disclose", "use"}),
}


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

    @property
    def purpose(self) -> str:
        """The purpose; treatment with the reason of an emergency is breaking the glass."""
        intent = self.intent
        return "BTG" if intent.break_glass is not None and intent.purpose == "TREAT" else intent.purpose

    @property
    def emergency(self) -> str:
        """Why an emergency must go before what is missing; empty for none."""
        # The command line gives bytes that are no text as halves of characters, which no log can hold.
        return (self.intent.break_glass or "").encode("utf-8", "backslashreplace").decode().strip()


@dataclass(frozen=True, slots=True)
class World:
    """What is known at the moment of the decision.

    Args:
        moment: The time, Unix seconds.
        related: Whether the person has records at the actor's institution.
        consents: The person's consents; for a population, every consent that denies something.
    """

    moment: float
    related: bool = False
    consents: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and why.

    Args:
        permit: Whether it is permitted.
        reason: One of the constants of this file or of `xinglin.access.credentials.actor`.
        gives: Data classes that may be given; a resource may be given when all its classes are among them.
        without: Persons who must be left out of a population, because they deny it.
        consents: Handles of the consents that spoke.
    """

    permit: bool
    reason: str
    gives: frozenset[str] = frozenset()
    without: frozenset[int] = frozenset()
    consents: tuple[str, ...] = ()


def decide(request: Request, world: World) -> Decision:
    """Decide one request: credential, role, relation, consent, in this order; what nothing allows is denied.

    Args:
        request: Who asks for what.
        world: What is known.

    Example:
        >>> decide(Request(None, Intent("read"), refused="credential-expired"), World(0)).reason
        'credential-expired'
    """
    if request.actor is None:
        return Decision(False, request.refused or NO_CREDENTIAL)
    if not known(request.purpose):
        return Decision(False, UNKNOWN_PURPOSE)
    lines = lines_for(request)
    reason = NO_REASON_GIVEN if request.purpose in EMERGENCIES and not request.emergency else OUTSIDE_ROLE
    if not request.intent.data_classes <= EVERY_CLASS:
        return Decision(False, reason)
    for line in lines:
        refusal = _scope(line.scope, request, world)
        if not refusal:
            return _consents(line, request, world)
        reason = refusal
    return Decision(False, reason)


def lines_for(request: Request) -> tuple[Allowance, ...]:
    """The lines of the table of roles that a request could be allowed by.

    Args:
        request: Who asks for what.
    """
    intent = request.intent
    roles = request.actor.roles if request.actor else ()
    return _lines(roles, intent.action, request.purpose, intent.reads, intent.writes)


@lru_cache(maxsize=4096)
def _lines(
    roles: tuple[str, ...], action: str, purpose: str, reads: frozenset[str], writes: frozenset[str]
) -> tuple[Allowance, ...]:
    return tuple(
        line
        for role in roles
        for line in allowances().get((role, action), ())
        if line.serves(purpose) and line.covers(reads, writes)
    )


def asked_classes(intent: Intent) -> frozenset[str]:
    """The data classes that are asked for; one person's whole record where none is named.

    Args:
        intent: What is to be done.
    """
    return intent.data_classes or EVERY_CLASS


def _scope(scope: str, request: Request, world: World) -> str:
    """Why the line does not allow it; empty where it does."""
    person, actor = request.intent.person, request.actor
    alone = person is not None and not request.intent.population
    if scope == "own":
        return "" if alone and actor is not None and person == actor.person else NOT_OWN_RECORD
    if scope == "treated":
        return "" if alone and world.related else NO_RELATION
    if scope == "break-glass":
        return "" if alone and request.emergency else (NO_REASON_GIVEN if alone else OUTSIDE_ROLE)
    if scope == "person":
        return "" if alone else OUTSIDE_ROLE
    if scope == "site":
        return "" if actor is not None and request.intent.sites == {actor.institution} else OTHER_SITE
    if scope == "region":
        return "" if person is None else OUTSIDE_ROLE
    return "" if scope == "any" else OUTSIDE_ROLE


def _consents(line: Allowance, request: Request, world: World) -> Decision:
    asked = asked_classes(request.intent)
    reason = BREAK_GLASS if line.scope == "break-glass" else PERMITTED
    if line.consent == "ignored":
        return Decision(True, reason, asked)
    if line.consent == "denials" and not world.consents:
        return Decision(True, reason, asked)
    question = Question(world.moment, *_who_and_why(request), asked)
    permits: set[str] = set()
    denies: set[str] = set()
    without, spoke = set(), []
    for counted in world.consents:
        opinion = counted.rule.root.answer(question)
        if opinion.denies or (opinion.permits and counted.confirmed):
            spoke.append(counted.handle)
        if opinion.denies:
            without.add(counted.rule.person)
            denies |= opinion.denies
        if counted.confirmed:
            permits |= opinion.permits
    if line.consent == "left-out":
        return Decision(True, reason, asked, frozenset(without))
    gives = asked - denies if line.consent == "denials" else (asked & permits) - denies
    if not gives or (gives != asked and not request.partial):
        refusal = CONSENT_DENIES if denies else CONSENT_MISSING
        return Decision(False, refusal, consents=tuple(spoke))
    return Decision(True, reason, gives, consents=tuple(spoke))


def _who_and_why(request: Request) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    actor = request.actor
    names = () if actor is None else (f"Practitioner/{actor.id}", f"Organization/{actor.institution}")
    return frozenset(names), above(request.purpose), _ACTIONS.get(request.intent.action, frozenset())
