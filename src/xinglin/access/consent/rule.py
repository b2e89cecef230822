"""A compiled consent: what it says to a question, for all data classes at once."""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.access.consent.period import ALWAYS, Period

__all__ = ["Counted", "Opinion", "Provision", "Question", "Rule"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a consent is asked.

    Args:
        moment: Unix seconds.
        names: The actor as references: ``Practitioner/…``, ``Organization/…``.
        purposes: The purpose and all above it.
        actions: What is to be done, by the codes of consentaction.
        classes: Data classes asked for.
    """

    moment: float
    names: frozenset[str]
    purposes: frozenset[str]
    actions: frozenset[str]
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Opinion:
    """Classes that are permitted and denied; what is in neither, the consent does not speak of."""

    permits: frozenset[str]
    denies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision; None stands for no limit.

    Args:
        permit: Its word; None where only the provisions below it speak.
        period: When it holds.
        names: Actors it is about.
        purposes: Purposes it is about.
        actions: Actions it is about.
        classes: Data classes it is about.
        exceptions: The provisions below it.
    """

    permit: bool | None
    period: Period = ALWAYS
    names: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    exceptions: tuple[Provision, ...] = ()

    def answer(self, question: Question) -> Opinion:
        """What it says.

        Args:
            question: The question.

        Example:
            >>> labs = Provision(False, classes=frozenset({"Observation"}))
            >>> root = Provision(True, exceptions=(labs,))
            >>> asked = Question(0, frozenset(), frozenset(), frozenset(), frozenset({"Observation", "Condition"}))
            >>> root.answer(asked)
            Opinion(permits=frozenset({'Condition'}), denies=frozenset({'Observation'}))
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
            return Opinion(permits, denies)
        rest = about - permits - denies
        return Opinion(permits | rest, denies) if self.permit else Opinion(permits, denies | rest)

    def ever_denies(self) -> bool:
        """Whether any of it denies anything."""
        return self.permit is False or any(exception.ever_denies() for exception in self.exceptions)

    def _fits(self, question: Question) -> bool:
        return (
            self.period.holds(question.moment)
            and (self.names is None or not self.names.isdisjoint(question.names))
            and (self.purposes is None or not self.purposes.isdisjoint(question.purposes))
            and (self.actions is None or not self.actions.isdisjoint(question.actions))
        )


_SILENT = Opinion(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Rule:
    """One consent, compiled.

    Args:
        person: Whose it is.
        root: Its outermost provision.
    """

    person: int
    root: Provision


@dataclass(frozen=True, slots=True)
class Counted:
    """A consent that is to be counted.

    Args:
        handle: Its handle on the ledger, in hex.
        rule: What it says.
        confirmed: Whether the ledger's last commit holds it. What is not confirmed can deny and cannot permit.
    """

    handle: str
    rule: Rule
    confirmed: bool
