from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from xinglin.access.audit.event import event_template
from xinglin.access.credentials.actor import ROLES, Actor
from xinglin.access.decisions.decision import Facts, Request, decide
from xinglin.access.plan import Plan
from xinglin.access.terms.purposes import PARENTS
from xinglin.core.intent import Intent

ACTIONS = ("read", "ask", "extract", "log", "consent", "anything")
PERSONS = st.one_of(st.none(), st.integers(-1, 3))
NAME = b"ab" * 16


@st.composite
def requests(draw: st.DrawFn) -> Request:
    role, person = draw(st.sampled_from(sorted(ROLES))), draw(PERSONS)
    actor = Actor("dr", (role,), "mercy", person, datetime(2030, 1, 1, tzinfo=UTC), "k", draw(st.uuids()).hex)
    return Request(
        draw(st.sampled_from([actor, None])),
        Intent(
            draw(st.sampled_from(ACTIONS)),
            frozenset(draw(st.sampled_from([{"landing", "identity"}, {"mart"}, set()]))),
            purpose=draw(st.sampled_from(sorted(PARENTS))),
            population=draw(st.booleans()),
            data_classes=frozenset(draw(st.sampled_from([set(), {"Observation"}]))),
            break_glass=draw(st.sampled_from([None, "", "found 100 % unconscious"])),
        ),
        partial=draw(st.booleans()),
    )


@given(requests(), st.lists(st.tuples(PERSONS, st.booleans(), st.integers(-1, 3)), min_size=1, max_size=12))
def test_what_is_remembered_of_a_plan_is_what_would_be_decided_anew(
    request: Request, asked: list[tuple[int | None, bool, int]]
) -> None:
    plan = Plan(request, "east", 0)
    for moment, (person, related, height) in enumerate(asked):
        intent = Intent(**{**vars(request.intent), "person": person})
        one = Request(request.actor, intent, request.refused, request.partial)
        decision = decide(one, Facts(moment, related))
        found = plan.answer(intent, moment, related, ())
        assert found.decision == decision
        name = b"" if person is None else NAME
        assert found.template.render(name, height) == event_template(one, decision, "east").render(name, height)
