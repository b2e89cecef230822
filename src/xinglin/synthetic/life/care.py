"""Care: from the true course of a life to the visits that institutions record."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from xinglin.synthetic.life.course import Course, Stroke
from xinglin.synthetic.life.encounters import check_up, emergency, follow_up, minor_illness, vaccinate
from xinglin.synthetic.life.scribe import Body, Scribe
from xinglin.synthetic.life.stroke_care import DEATH_MINUTE, rehabilitate, treat_stroke
from xinglin.synthetic.plan import RegionPlan, Site
from xinglin.synthetic.population.attendance import attended_sites, draw_site
from xinglin.synthetic.population.people import Person
from xinglin.synthetic.population.registration import register
from xinglin.synthetic.records import Allergy, Chart
from xinglin.synthetic.streams import below, stream
from xinglin.synthetic.vocabulary.codes import Concept
from xinglin.synthetic.vocabulary.terms import (
    APPENDICITIS,
    CORONARY_DISEASE,
    DIABETES,
    DIPHTHERIA,
    FOREARM_FRACTURE,
    HEPATITIS_B,
    HIP_FRACTURE,
    INFARCTION,
    INFLUENZA,
    LATEX_ALLERGY,
    MEASLES,
    PEANUT_ALLERGY,
    PENICILLIN_ALLERGY,
    PNEUMOCOCCAL,
    PNEUMONIA,
    POLIO,
    POLLEN_ALLERGY,
    TETANUS,
    ZOSTER,
)  # fmt: skip

__all__ = ["make_charts"]

_HOSPITAL = (("hospital", 1.0),)
_CHILDHOOD = (
    (2, (POLIO, DIPHTHERIA)), (4, (POLIO, DIPHTHERIA)), (6, (HEPATITIS_B,)), (8, (MEASLES,)),
    (18, (DIPHTHERIA, MEASLES)), (72, (DIPHTHERIA,)),
)  # fmt: skip
_ALLERGIES = (
    (PENICILLIN_ALLERGY, "medication"), (LATEX_ALLERGY, "environment"), (POLLEN_ALLERGY, "environment"),
    (PEANUT_ALLERGY, "food"),
)  # fmt: skip


class _Event(NamedTuple):
    """A reason to visit an institution; ordered by time, then by rank."""

    minute: int
    rank: int
    kind: str
    detail: Concept | Stroke | tuple[Concept, ...] | None = None
    session: int = 0


def _moment(day: int, rng: Random) -> int:
    """A minute within opening hours."""
    return day * 1440 + 480 + below(rng, 540)


def _poisson_days(rate: float, first: int, last: int, rng: Random) -> list[int]:
    """Days of a Poisson process with a yearly rate."""
    days: list[int] = []
    day = float(first)
    while True:
        day += rng.expovariate(rate) * 365.25
        if day > last:
            return days
        days.append(int(day))


class _Diary:
    """Collects the events of one person."""

    def __init__(self, body: Body, first_day: int) -> None:
        self.body = body
        self.first = first_day
        self.last = body.last_day
        self.events: list[_Event] = []

    def add(self, day: int, kind: str, detail: Concept | tuple[Concept, ...] | None = None) -> None:
        """Add an event at a minute of a day."""
        if self.first <= day < self.last:
            minute = _moment(day, self.body.rng)
            self.events.append(_Event(minute, len(self.events), kind, detail))

    def ordinary(self) -> None:
        """Minor illness, check-ups and follow-ups of lasting conditions."""
        rng, body = self.body.rng, self.body
        middle = body.age((self.first + self.last) // 2)
        for day in _poisson_days(0.85 if middle < 12 else 0.45 if middle < 60 else 0.6, self.first, self.last, rng):
            self.add(day, "minor")
        regular = rng.random() < 0.16
        if middle >= 18:
            for day in _poisson_days(0.9 if regular else 0.14, self.first, self.last, rng):
                self.add(day, "check")
        if body.course.onset:
            begun = max(self.first, min(body.course.onset.values()) + 20)
            treated = body.course.treated_from is not None or DIABETES in body.course.onset
            for day in _poisson_days(1.2 if treated else 0.5, begun, self.last, rng):
                self.add(day, "follow")

    def vaccines(self) -> None:
        """Childhood vaccines; influenza and others for the elderly."""
        body, rng = self.body, self.body.rng
        for months, given in _CHILDHOOD:
            self.add(body.person.birth + int(months * 30.44) + below(rng, 14), "vaccine", given)
        if body.age(self.last) < 60:
            if rng.random() < 0.12:
                self.add(self.first + below(rng, self.last + 1 - self.first), "vaccine", (TETANUS,))
            return
        willing = rng.random() < 0.3
        for year_begin in range(self.first, self.last, 365):
            if willing and body.age(year_begin) >= 60 and rng.random() < 0.6:
                extra = rng.random()
                also = (PNEUMOCOCCAL,) if extra < 0.08 else (ZOSTER,) if extra < 0.12 else ()
                self.add(year_begin + below(rng, 300), "vaccine", (INFLUENZA, *also))

    def emergencies(self) -> None:
        """Fractures, appendicitis, pneumonia, myocardial infarction."""
        body, rng = self.body, self.body.rng
        age = body.age((self.first + self.last) // 2)
        rates: list[tuple[Concept, float]] = [
            (FOREARM_FRACTURE, 0.004 if age < 65 else 0.003),
            (APPENDICITIS, 0.0013),
            (PNEUMONIA, 0.002 if age < 60 else 0.010),
            (HIP_FRACTURE, 0.0001 if age < 65 else 0.004),
            (INFARCTION, 0.03 if body.has(CORONARY_DISEASE, self.last) else 0.0002),
        ]
        for concept, rate in rates:
            if rng.random() < rate * (self.last - self.first) / 365.25:
                self.add(self.first + below(rng, self.last + 1 - self.first), "emergency", concept)

    def strokes(self) -> None:
        """Strokes and their follow-ups."""
        rng = self.body.rng
        for stroke in self.body.course.strokes:
            self.events.append(_Event(stroke.day * 1440 + 360, len(self.events), "stroke", stroke))
            if stroke.fatal:
                continue
            day = stroke.day + 40
            for session in range(min(8, 2 + stroke.severity // 3)):
                day += 5 + below(rng, 9)
                if day < self.last:
                    self.events.append(_Event(_moment(day, rng), len(self.events), "rehab", stroke, session))
            for _ in range(3):
                day += 60 + below(rng, 60)
                self.add(day, "follow")


class _Region:
    """The scribes of all institutions that a person visits."""

    def __init__(self, plan: RegionPlan, body: Body, rng: Random) -> None:
        self.plan = plan
        self.attended = attended_sites(plan, rng)
        self.body = body
        self.scribes: dict[int, Scribe] = {}

    def scribe(self, site: Site) -> Scribe:
        """The scribe of an institution."""
        found = self.scribes.get(site.index)
        if found is None:
            found = self.scribes[site.index] = Scribe(site, self.body)
        return found

    def choose(self, kind: str) -> Scribe:
        """The institution a person visits for an event."""
        attended, rng = self.attended, self.body.rng
        if kind in ("emergency", "stroke"):
            hospitals = [site for site in attended if site.kind == "hospital"]
            if not hospitals:
                hospitals = [draw_site(self.plan, _HOSPITAL, rng)]
                attended.append(hospitals[0])
            return self.scribe(hospitals[0])
        if kind == "check":
            centres = [site for site in attended if site.kind == "exam-centre"]
            if centres:
                return self.scribe(centres[0])
        caring = [site for site in attended if site.kind != "exam-centre"]
        if len(caring) > 1 and rng.random() < 0.25:
            return self.scribe(caring[1 + below(rng, len(caring) - 1)])
        return self.scribe(caring[0])


def _act(region: _Region, event: _Event, death: int | None, free_from: int) -> int:
    """Record one event, after the previous one has ended; return the minute at which the patient leaves."""
    scribe = region.choose(event.kind)
    start = max(event.minute, free_from)
    detail = event.detail
    if isinstance(detail, Stroke):
        if event.kind == "stroke":
            return treat_stroke(scribe, detail, death if detail.fatal else None)
        rehabilitate(scribe, detail, start, event.session)
    elif isinstance(detail, Concept):
        emergency(scribe, start, detail)
    elif detail is not None:
        vaccinate(scribe, start, detail)
    elif event.kind == "minor":
        minor_illness(scribe, start)
    elif event.kind == "check":
        check_up(scribe, start)
    else:
        follow_up(scribe, start)
    return scribe.visits[-1].end


def _allergy(scribe: Scribe) -> None:
    """One person in twelve has an allergy, recorded at the first visit to a site that asks."""
    number = scribe.body.person.number
    if number % 12 == 5 and scribe.visits:
        concept, category = _ALLERGIES[number // 12 % len(_ALLERGIES)]
        first = scribe.visits[0]
        entry = Allergy(scribe.take_number(), concept, category, number % 5 == 0, first.end)
        first.entries.append(entry)


def _visit_everywhere(region: _Region, first: int, last: int) -> None:
    """Every attended site has at least one visit."""
    for site in region.attended:
        scribe = region.scribe(site)
        if not scribe.visits:
            check_up(scribe, _moment(first + below(region.body.rng, max(1, last - first)), region.body.rng))


def make_charts(plan: RegionPlan, person: Person, course: Course) -> list[Chart]:
    """The charts of a person, in the order of the institutions."""
    rng = stream(plan.seed, person.number, "care")
    last = plan.last_day if course.death is None else course.death
    body = Body(person, course, rng, last, rng.gauss(0, 8))
    diary = _Diary(body, max(plan.first_day, person.birth))
    if diary.last > diary.first:
        diary.ordinary()
        diary.vaccines()
        diary.emergencies()
    diary.strokes()
    rng = stream(plan.seed, person.number, "institutions")
    region = _Region(plan, body, rng)
    free_from = 0
    for event in sorted(diary.events):
        if event.kind == "stroke" or max(event.minute, free_from) < last * 1440:
            free_from = _act(region, event, course.death, free_from)
    _visit_everywhere(region, diary.first, last)
    return [_chart(plan, region.scribes[index], course.death, rng) for index in sorted(region.scribes)]


def _chart(plan: RegionPlan, scribe: Scribe, death: int | None, rng: Random) -> Chart:
    """Close a chart with the registration as of the first or the last visit."""
    person, site = scribe.body.person, scribe.site
    scribe.visits.sort(key=lambda visit: visit.start)
    _allergy(scribe)
    visit = scribe.visits[0 if rng.random() < 0.5 else -1]
    card = register(plan.seed, person, site, visit.start // 1440, rng)
    knows = site.kind == "hospital" or person.number % 10 < 7
    if death is not None and (knows or any(visit.died for visit in scribe.visits)):
        card = card._replace(died=death * 1440 + DEATH_MINUTE)
    return Chart(site, card, scribe.visits)
