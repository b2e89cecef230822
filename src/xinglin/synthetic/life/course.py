"""The true course of one life: onsets of conditions, strokes, death."""

from __future__ import annotations

from math import exp, log
from random import Random
from typing import NamedTuple

from xinglin.synthetic.life.hazards import HazardModel, State
from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.people import Person
from xinglin.synthetic.streams import stream
from xinglin.synthetic.vocabulary.codes import Concept
from xinglin.synthetic.vocabulary.terms import (
    ASTHMA,
    ATRIAL_FIBRILLATION,
    BREAST_CANCER,
    COLON_CANCER,
    COPD,
    CORONARY_DISEASE,
    DEMENTIA,
    DEPRESSION,
    DIABETES,
    HYPERLIPIDAEMIA,
    HYPERTENSION,
    HYPOTHYROIDISM,
    KNEE_OSTEOARTHRITIS,
)  # fmt: skip

__all__ = ["Course", "Stroke", "simulate_course", "state_at"]

_YEAR = 365.25
# Onset hazard per year a·exp(b·age), and the ratio for men.
_ONSETS: tuple[tuple[Concept, float, float, float], ...] = (
    (HYPERTENSION, 0.00145, 0.050, 1.15),
    (DIABETES, 0.00035, 0.052, 1.2),
    (ATRIAL_FIBRILLATION, 0.000012, 0.085, 1.3),
    (HYPERLIPIDAEMIA, 0.0022, 0.030, 1.1),
    (CORONARY_DISEASE, 0.00005, 0.075, 1.5),
    (COPD, 0.00007, 0.062, 1.6),
    (ASTHMA, 0.0007, 0.0001, 0.9),
    (KNEE_OSTEOARTHRITIS, 0.00022, 0.060, 0.6),
    (DEPRESSION, 0.0012, 0.004, 0.6),
    (HYPOTHYROIDISM, 0.0004, 0.018, 0.25),
    (DEMENTIA, 0.0000007, 0.125, 0.85),
    (COLON_CANCER, 0.000006, 0.070, 1.2),
    (BREAST_CANCER, 0.00004, 0.045, 0.01),
)


class Stroke(NamedTuple):
    """One stroke.

    Args:
        day: Day of the stroke.
        ischaemic: True for ischaemic, False for haemorrhagic.
        severity: NIHSS on arrival, 0 to 42.
        hours_to_door: Hours from onset to the emergency room.
        fatal: Whether the person dies of it within 30 days.
    """

    day: int
    ischaemic: bool
    severity: int
    hours_to_door: float
    fatal: bool


class Course(NamedTuple):
    """The true course of one person's life.

    Args:
        height: Adult height in cm.
        body_mass: Adult body mass index.
        ldl: LDL cholesterol without treatment, mmol/L.
        smokes: Whether the person smokes from the age of 18.
        onset: Day of onset of each lasting condition.
        treated_from: Day from which hypertension is treated.
        anticoagulated_from: Day from which atrial fibrillation is treated.
        strokes: Strokes in order.
        death: Day of death.
        cause: ``stroke``, ``other`` or empty.
    """

    height: float
    body_mass: float
    ldl: float
    smokes: bool
    onset: dict[Concept, int]
    treated_from: int | None
    anticoagulated_from: int | None
    strokes: tuple[Stroke, ...]
    death: int | None
    cause: str


def _onset_age(rng: Random, scale: float, slope: float) -> float:
    """A draw from the Gompertz distribution with hazard scale·exp(slope·age)."""
    return log(1 + slope * -log(1 - rng.random()) / scale) / slope


def _onsets(person: Person, body_mass: float, smokes: bool, last_day: int, rng: Random) -> dict[Concept, int]:
    onset: dict[Concept, int] = {}
    for concept, scale, slope, men in _ONSETS:
        ratio = men if person.sex == "male" else 1.0
        if concept is HYPERTENSION or concept is DIABETES:
            ratio *= exp(0.07 * (body_mass - 24))
        elif concept is COPD and smokes:
            ratio *= 4.0
        elif concept is ATRIAL_FIBRILLATION and onset.get(HYPERTENSION, last_day) < last_day:
            ratio *= 1.5
        day = person.birth + int(_onset_age(rng, scale * ratio, slope) * _YEAR)
        if day <= last_day:
            onset[concept] = day
    return onset


def state_at(person: Person, course: Course, day: int, had_stroke: bool) -> State:
    """The state on a day."""
    age = (day - person.birth) / _YEAR
    has = {concept for concept, since in course.onset.items() if since <= day}
    return State(
        age, person.sex == "male", HYPERTENSION in has,
        course.treated_from is not None and course.treated_from <= day, DIABETES in has, ATRIAL_FIBRILLATION in has,
        course.anticoagulated_from is not None and course.anticoagulated_from <= day,
        course.smokes and age >= 18, course.ldl, had_stroke,
    )  # fmt: skip


def _stroke(day: int, age: float, model: HazardModel, rng: Random) -> Stroke:
    ischaemic = rng.random() < model.ischaemic_share
    severity = min(42, int(rng.expovariate(1 / (7.0 if ischaemic else 11.0))) + 1)
    hours = 0.5 + rng.expovariate(1 / 6.0)
    fatality = model.ischaemic_fatality if ischaemic else model.haemorrhagic_fatality
    # The mean of the factor is close to 1, so that the overall fatality is the stated one.
    fatal = rng.random() < min(0.95, fatality * (0.35 + severity / (11.0 if ischaemic else 17.0)))
    return Stroke(day, ischaemic, severity, hours, fatal)


def _years(person: Person, course: Course, plan: RegionPlan, model: HazardModel, rng: Random) -> Course:
    """Simulate the recorded years: compute hazards at the beginning of each year, then draw its events."""
    strokes: list[Stroke] = []
    begin = max(plan.first_day, person.birth)
    while begin <= plan.last_day:
        state = state_at(person, course, begin, bool(strokes))
        chance = 1 - exp(-model.stroke(state))
        if strokes:
            chance = model.recurrence_first_year if begin - strokes[-1].day < 365 else model.recurrence_later
        struck = rng.random() < chance
        stroke_day = begin + int(rng.random() * _YEAR)
        dies = rng.random() < 1 - exp(-model.death(state))
        death = begin + int(rng.random() * _YEAR)
        if struck and stroke_day <= plan.last_day and not (dies and death <= stroke_day + 1):
            stroke = _stroke(stroke_day, state.age, model, rng)
            strokes.append(stroke)
            if stroke.fatal:
                death = stroke_day + min(29, int(rng.expovariate(1 / 6.0)))
                known = death <= plan.last_day
                return course._replace(
                    strokes=tuple(strokes), death=death if known else None, cause="stroke" if known else ""
                )
        if dies and death <= plan.last_day:
            return course._replace(strokes=tuple(strokes), death=death, cause="other")
        begin += 365
    return course._replace(strokes=tuple(strokes))


def simulate_course(person: Person, plan: RegionPlan, model: HazardModel) -> Course:
    """Simulate the course of a person's life over the recorded years.

    Example:
        >>> from xinglin.synthetic.population.people import make_person
        >>> plan = RegionPlan(persons=1)
        >>> course = simulate_course(make_person(plan, 0), plan, HazardModel())
        >>> 130 < course.height < 210
        True
    """
    rng = stream(plan.seed, person.number, "course")
    male = person.sex == "male"
    height = rng.gauss(171.0 if male else 159.0, 6.2)
    height = min(205.0, max(140.0, height + (0 if person.name.chinese else 5)))
    body_mass = min(45.0, max(16.0, rng.gauss(24.2, 3.4)))
    ldl = min(7.5, max(1.2, rng.gauss(3.05, 0.8)))
    smokes = rng.random() < (0.42 if male else 0.04)
    onset = _onsets(person, body_mass, smokes, plan.last_day, rng)
    treatment, delay, anticoagulation = rng.random(), rng.expovariate(1 / 500.0), rng.random()
    hypertension, fibrillation = onset.get(HYPERTENSION), onset.get(ATRIAL_FIBRILLATION)
    treated_from = hypertension + 30 + int(delay) if hypertension is not None and treatment < 0.62 else None
    anticoagulated_from = fibrillation + 30 if fibrillation is not None and anticoagulation < 0.5 else None
    course = Course(height, body_mass, ldl, smokes, onset, treated_from, anticoagulated_from, (), None, "")
    return _years(person, course, plan, model, rng)
