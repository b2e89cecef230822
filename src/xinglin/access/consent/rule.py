"""A compiled consent: evaluates a request for all data classes at once."""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.access.consent.period import ALWAYS, Period

__all__ = ["ActiveConsent", "Provision", "ProvisionResult", "Question", "Rule"]


@dataclass(frozen=True, slots=True)
class Question:
    """A request that a consent is evaluated against.

    Args:
        moment: Unix seconds.
        names: References of the actor: ``Practitioner/…``, ``Organization/…``.
        purposes: The purpose and its ancestors.
        actions: Codes of the code system consentaction.
        classes: Requested data classes.
    """

    moment: float
    names: frozenset[str]
    purposes: frozenset[str]
    actions: frozenset[str]
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ProvisionResult:
    """Permitted and denied classes; the consent does not apply to any other class."""

    permits: frozenset[str]
    denies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision; None means no restriction.

    Args:
        permit: True to permit, false to deny; None if only nested provisions decide.
        period: When the provision is valid.
        names: References of actors.
        purposes: Purposes of use.
        actions: Codes of consentaction.
        classes: Data classes.
        exceptions: Nested provisions.
    """

    permit: bool | None
    period: Period = ALWAYS
    names: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    exceptions: tuple[Provision, ...] = ()

    def answer(self, question: Question) -> ProvisionResult:
        """Evaluate a request.

        Args:
            question: The request.

        Example:
            >>> labs = Provision(False, classes=frozenset({"Observation"}))
            >>> root = Provision(True, exceptions=(labs,))
            >>> asked = Question(0, frozenset(), frozenset(), frozenset(), frozenset({"Observation", "Condition"}))
            >>> root.answer(asked)
            ProvisionResult(permits=frozenset({'Condition'}), denies=frozenset({'Observation'}))
        """
        if not self._fits(question):
            return _SILENT
        about = question.classes if self.classes is None else question.classes & self.classes
        if not about:
            return _SILENT
        permits: frozenset[str] = frozenset()
        denies: frozenset[str] = frozenset()
        for exception in self.exceptions:
            opinion = exception.answer(question)
            permits |= opinion.permits
            denies |= opinion.denies
        denies &= about
        permits = (permits & about) - denies
        if self.permit is None:
            return ProvisionResult(permits, denies)
        rest = about - permits - denies
        return ProvisionResult(permits | rest, denies) if self.permit else ProvisionResult(permits, denies | rest)

    def ever_denies(self) -> bool:
        """Whether the provision or a nested one denies anything."""
        return self.permit is False or any(exception.ever_denies() for exception in self.exceptions)

    def _fits(self, question: Question) -> bool:
        return (
            self.period.holds(question.moment)
            and (self.names is None or not self.names.isdisjoint(question.names))
            and (self.purposes is None or not self.purposes.isdisjoint(question.purposes))
            and (self.actions is None or not self.actions.isdisjoint(question.actions))
        )


_SILENT = ProvisionResult(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled consent.

    Args:
        person: `person_id`.
        root: The outermost provision.
    """

    person: int
    root: Provision


@dataclass(frozen=True, slots=True)
class ActiveConsent:
    """A consent that is in effect.

    Args:
        handle: Handle on the ledger, in hex.
        rule: The compiled consent.
        confirmed: Whether the ledger's last commit confirms it. An unconfirmed consent can deny but not permit.
    """

    handle: str
    rule: Rule
    confirmed: bool
