"""The plan of a request: everything that does not depend on its person and time, computed once and reused."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from xinglin.access.audit.event import EventTemplate, event_template
from xinglin.access.consent.rule import ActiveConsent
from xinglin.access.decisions.decision import Decision, Facts, Request, decide, lines_for
from xinglin.core.intent import Intent

__all__ = ["Answer", "Plan"]


class Answer(NamedTuple):
    """A decision and the template of its event.

    Args:
        decision: The decision.
        template: The event without its time, person and height.
    """

    decision: Decision
    template: EventTemplate


class Plan:
    """One actor's request, for any person.

    Args:
        request: The request.
        region: The region's name.
        ends: When the actor's credential expires, Unix seconds.

    Attributes:
        ends: When the plan expires.
        institution: Institution that the person must be a patient of; empty if this is not required.
        needs_consents: Whether the decision depends on consents.
    """

    def __init__(self, request: Request, region: str, ends: float) -> None:
        self._request, self._region, self.ends = request, region, ends
        lines, actor = lines_for(request), request.actor
        self.institution = actor.institution if actor and any(line.scope == "treated" for line in lines) else ""
        self.needs_consents = any(line.consent != "ignored" for line in lines)
        self._own = actor.person if actor else None
        self._answers: dict[tuple[bool, bool, bool], Answer] = {}

    def answer(self, intent: Intent, moment: float, related: bool, consents: tuple[ActiveConsent, ...]) -> Answer:
        """Decide for one person.

        Args:
            intent: The plan's intent with the person.
            moment: The current time, Unix seconds.
            related: Whether the person has records at the actor's institution.
            consents: The consents to apply.
        """
        if consents:
            return self._decided(intent, Facts(moment, related, consents))
        # Without consents the decision depends on nothing else of the person and not on the time.
        key = (intent.person is None, intent.person == self._own, related)
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = self._decided(intent, Facts(moment, related))
        return known

    def _decided(self, intent: Intent, facts: Facts) -> Answer:
        request = replace(self._request, intent=intent)
        decision = decide(request, facts)
        return Answer(decision, event_template(request, decision, self._region))
