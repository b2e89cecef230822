"""All about a request but its person and its moment, worked out once: most requests differ in nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from xinglin.access.audit.event import Form, form
from xinglin.access.consent.rule import Counted
from xinglin.access.decisions.decision import Decision, Request, World, decide, lines_for
from xinglin.core.intent import Intent

__all__ = ["Answer", "Plan"]


class Answer(NamedTuple):
    """A decision and how its event is written.

    Args:
        decision: What was decided.
        form: The event without its time, person and height.
    """

    decision: Decision
    form: Form


class Plan:
    """One actor's request for one thing, whoever the person is.

    Args:
        request: Who asks for what.
        region: The region's name.
        ends: When the actor's credential does, Unix seconds.

    Attributes:
        ends: When it must be made anew.
        institution: Whose patient the person must be for it; empty where that does not matter.
        counts: Whether the person's consents matter.
    """

    def __init__(self, request: Request, region: str, ends: float) -> None:
        self._request, self._region, self.ends = request, region, ends
        lines, actor = lines_for(request), request.actor
        self.institution = actor.institution if actor and any(line.scope == "treated" for line in lines) else ""
        self.counts = any(line.consent != "ignored" for line in lines)
        self._own = actor.person if actor else None
        self._answers: dict[tuple[bool, bool, bool], Answer] = {}

    def answer(self, intent: Intent, moment: float, related: bool, consents: tuple[Counted, ...]) -> Answer:
        """Decide.

        Args:
            intent: The plan's own but for the person.
            moment: The time, Unix seconds.
            related: Whether the person has records at the actor's institution.
            consents: The consents to be counted.
        """
        if consents:
            return self._decided(intent, World(moment, related, consents))
        # Without a consent no rule asks for more of the person, and none for the time.
        key = (intent.person is None, intent.person == self._own, related)
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = self._decided(intent, World(moment, related))
        return known

    def _decided(self, intent: Intent, world: World) -> Answer:
        request = replace(self._request, intent=intent)
        decision = decide(request, world)
        return Answer(decision, form(request, decision, self._region))
