"""The access decision: a pure function of the request and the known facts; denies by default."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from xinglin.access.consent.rule import ActiveConsent, Question
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
    "Facts",
    "Request",
    "decide",
    "lines_for",
    "requested_classes",
]

PERMITTED = "permitted"
BREAK_GLASS = "break-glass"
"""Permitted as emergency access, without relation or consent; flagged in the audit log."""
UNKNOWN_PURPOSE = "unknown-purpose"
OUTSIDE_ROLE = "outside-role"
NOT_OWN_RECORD = "not-own-record"
NO_RELATION = "no-relation"
OTHER_SITE = "other-site"
NO_REASON_GIVEN = "break-glass-without-reason"
CONSENT_DENIES = "consent-denies"
CONSENT_MISSING = "consent-missing"

# Actions as codes of http://terminology.hl7.org/CodeSystem/consentaction.
_ACTIONS = {
    "read": frozenset({"access", "use"}),
    "ask": frozenset({"access", "use"}),
    "view": frozenset({"access", "use"}),
    "extract": frozenset({"disclose", "use"}),
}


@dataclass(frozen=True)
class Request:
    """One access request.

    Args:
        actor: The actor; None if the credential is invalid.
        intent: Action, purpose, and the records to be used.
        refused: Why the credential is invalid.
        partial: Whether a part of the data classes is useful if consents withhold the others.
    """

    actor: Actor | None
    intent: Intent
    refused: str = ""
    partial: bool = False

    @property
    def purpose(self) -> str:
        """The purpose of use; `TREAT` with an emergency reason becomes `BTG`."""
        intent = self.intent
        return "BTG" if intent.break_glass is not None and intent.purpose == "TREAT" else intent.purpose

    @property
    def emergency(self) -> str:
        """The reason for emergency access; empty if there is none."""
        # Arguments that are not valid UTF-8 arrive as lone surrogates, which JSON cannot encode.
        return (self.intent.break_glass or "").encode("utf-8", "backslashreplace").decode().strip()


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that a decision depends on.

    Args:
        moment: The current time, Unix seconds.
        related: Whether the person has records at the actor's institution.
        consents: The person's consents; for a population, all consents that deny something.
    """

    moment: float
    related: bool = False
    consents: tuple[ActiveConsent, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision and its reason.

    Args:
        permit: Whether the request is permitted.
        reason: A constant of this module or of `xinglin.access.credentials.actor`.
        gives: Permitted data classes; a resource is permitted if all its classes are among them.
        without: Persons to exclude from a population because they denied it.
        consents: Handles of the consents that applied.
    """

    permit: bool
    reason: str
    gives: frozenset[str] = frozenset()
    without: frozenset[int] = frozenset()
    consents: tuple[str, ...] = ()


def decide(request: Request, facts: Facts) -> Decision:
    """Decide one request by credential, role, relation and consent, in this order; denies by default.

    Args:
        request: The request.
        facts: The facts.

    Example:
        >>> decide(Request(None, Intent("read"), refused="credential-expired"), Facts(0)).reason
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
        refusal = _scope(line.scope, request, facts)
        if not refusal:
            return _consents(line, request, facts)
        reason = refusal
    return Decision(False, reason)


def lines_for(request: Request) -> tuple[Allowance, ...]:
    """The lines of ``roles.csv`` that could permit a request.

    Args:
        request: The request.
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


def requested_classes(intent: Intent) -> frozenset[str]:
    """The requested data classes; all classes if the intent names none.

    Args:
        intent: The intent.
    """
    return intent.data_classes or EVERY_CLASS


def _scope(scope: str, request: Request, facts: Facts) -> str:
    """Why the line's scope refuses the request; empty if it permits it."""
    person, actor = request.intent.person, request.actor
    alone = person is not None and not request.intent.population
    if scope == "own":
        return "" if alone and actor is not None and person == actor.person else NOT_OWN_RECORD
    if scope == "treated":
        return "" if alone and facts.related else NO_RELATION
    if scope == "break-glass":
        return "" if alone and request.emergency else (NO_REASON_GIVEN if alone else OUTSIDE_ROLE)
    if scope == "person":
        return "" if alone else OUTSIDE_ROLE
    if scope == "site":
        return "" if actor is not None and request.intent.sites == {actor.institution} else OTHER_SITE
    if scope == "region":
        return "" if person is None else OUTSIDE_ROLE
    return "" if scope == "any" else OUTSIDE_ROLE


def _consents(line: Allowance, request: Request, facts: Facts) -> Decision:
    asked = requested_classes(request.intent)
    reason = BREAK_GLASS if line.scope == "break-glass" else PERMITTED
    if line.consent == "ignored":
        return Decision(True, reason, asked)
    if line.consent == "denials" and not facts.consents:
        return Decision(True, reason, asked)
    question = Question(facts.moment, *_actor_terms(request), asked)
    permits: set[str] = set()
    denies: set[str] = set()
    without, applied = set(), []
    for consent in facts.consents:
        opinion = consent.rule.root.answer(question)
        if opinion.denies or (opinion.permits and consent.confirmed):
            applied.append(consent.handle)
        if opinion.denies:
            without.add(consent.rule.person)
            denies |= opinion.denies
        if consent.confirmed:
            permits |= opinion.permits
    if line.consent == "left-out":
        return Decision(True, reason, asked, frozenset(without))
    gives = asked - denies if line.consent == "denials" else (asked & permits) - denies
    if not gives or (gives != asked and not request.partial):
        refusal = CONSENT_DENIES if denies else CONSENT_MISSING
        return Decision(False, refusal, consents=tuple(applied))
    return Decision(True, reason, gives, consents=tuple(applied))


def _actor_terms(request: Request) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    actor = request.actor
    names = () if actor is None else (f"Practitioner/{actor.id}", f"Organization/{actor.institution}")
    return frozenset(names), above(request.purpose), _ACTIONS.get(request.intent.action, frozenset())
