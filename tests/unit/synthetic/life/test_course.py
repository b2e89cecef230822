"""The true course of lives: the stated hazards are the ones at work."""

from __future__ import annotations

from functools import cache
from math import exp

from xinglin.synthetic.life.course import Course, simulate_course, state_at
from xinglin.synthetic.life.hazards import HazardModel, State
from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.people import Person, make_person

PLAN = RegionPlan(persons=12_000, seed=3)
MODEL = HazardModel()


@cache
def lives() -> list[tuple[Person, Course]]:
    people = (make_person(PLAN, number) for number in range(PLAN.persons))
    grown = [person for person in people if PLAN.first_day - person.birth > 40 * 365]
    return [(person, simulate_course(person, PLAN, MODEL)) for person in grown]


def years(person: Person, course: Course) -> list[tuple[State, bool]]:
    """Each year at risk of a first stroke: the states at its beginning, and whether the stroke came."""
    found = []
    begin = PLAN.first_day
    while begin + 365 <= PLAN.last_day:
        stroke = bool(course.strokes) and course.strokes[0].day < begin + 365
        found.append((state_at(person, course, begin, False), stroke))
        if stroke or (course.death is not None and course.death < begin + 365):
            break
        begin += 365
    return found


def standardised(neutral: str, chosen: int) -> float:
    """Observed over expected strokes, the expectation leaving one factor out."""
    observed, expected = 0, 0.0
    for person, course in lives():
        for state, stroke in years(person, course):
            if int(getattr(state, neutral)) != chosen or (neutral == "hypertension" and state.treated):
                continue
            observed += stroke
            without = state._replace(**{neutral: False})
            expected += 1 - exp(-MODEL.stroke(without))
    assert observed > 40
    return observed / expected


def test_untreated_hypertension_raises_the_hazard_of_stroke_by_the_stated_ratio() -> None:
    ratio = standardised("hypertension", 1) / standardised("hypertension", 0)
    assert MODEL.hypertension * 0.75 < ratio < MODEL.hypertension * 1.33


def test_smoking_raises_the_hazard_of_stroke_by_the_stated_ratio() -> None:
    ratio = standardised("smoker", 1) / standardised("smoker", 0)
    assert MODEL.smoking * 0.75 < ratio < MODEL.smoking * 1.33


def test_treating_hypertension_lowers_the_hazard() -> None:
    state = State(60, True, True, False, False, False, False, False, 3.0, False)
    assert MODEL.stroke(state._replace(treated=True)) / MODEL.stroke(state) == MODEL.hypertension_treatment


def test_deadly_strokes_kill_within_thirty_days() -> None:
    fatal = 0
    for _, course in lives():
        for stroke in course.strokes:
            if stroke.fatal and course.death is not None:
                fatal += 1
                assert course.cause == "stroke"
                assert stroke.day <= course.death < stroke.day + 30
    assert fatal > 20


def test_nothing_happens_after_death() -> None:
    dead = [(person, course) for person, course in lives() if course.death is not None]
    assert len(dead) > 100
    for _, course in dead:
        assert course.death is not None
        assert all(stroke.day <= course.death for stroke in course.strokes)


def test_strokes_come_back() -> None:
    assert sum(len(course.strokes) > 1 for _, course in lives()) > 10
