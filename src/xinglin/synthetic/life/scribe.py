"""The scribe that writes a person's chart at one institution, and the person's measurable state."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from xinglin.synthetic.life.course import Course
from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.people import Person
from xinglin.synthetic.records import (
    Device,
    Diagnosis,
    Finding,
    Note,
    Panel,
    Part,
    Prescription,
    Procedure,
    Report,
    Study,
    Vaccination,
    Visit,
)  # fmt: skip
from xinglin.synthetic.streams import below
from xinglin.synthetic.vocabulary.codes import Concept
from xinglin.synthetic.vocabulary.terms import BLOOD_PRESSURE, DIASTOLIC, SYSTOLIC

__all__ = ["Body", "Scribe"]

_YEAR = 365.25


@dataclass(slots=True)
class Body:
    """A person's state during the recorded years.

    Args:
        person: The person.
        course: The true course of the person's life.
        rng: Random stream of the person's care.
        last_day: The last recorded day, or the day of death.
        pressure: Deviation of the person's blood pressure from the mean, in mmHg.
        statin_from: First day of treatment with a statin.
    """

    person: Person
    course: Course
    rng: Random
    last_day: int
    pressure: float
    statin_from: int | None = None

    def age(self, day: int) -> float:
        """Age in years."""
        return (day - self.person.birth) / _YEAR

    def has(self, concept: Concept, day: int) -> bool:
        """Whether a lasting condition has begun."""
        since = self.course.onset.get(concept)
        return since is not None and since <= day


class Scribe:
    """Writes one chart, visit by visit.

    Args:
        site: The institution.
        body: The patient.
    """

    def __init__(self, site: Site, body: Body) -> None:
        self.site = site
        self.body = body
        self.visits: list[Visit] = []
        self.known: dict[Concept, Diagnosis] = {}
        self.now = 0
        self._next = 1

    def take_number(self, count: int = 1) -> int:
        """The next free number of the chart."""
        number = self._next
        self._next += count
        return number

    def open(self, setting: str, concept: Concept, start: int, minutes: int, price: int) -> Visit:
        """Begin a visit; the next number is that of its bill."""
        doctor = below(self.body.rng, 24)
        visit = Visit(self.take_number(2), setting, concept, start, start + minutes, doctor, cost=price)
        self.visits.append(visit)
        self.now = start + 2
        return visit

    def tick(self) -> int:
        """The next minute of the visit."""
        self.now += 1
        return min(self.now, self.visits[-1].end)

    def diagnose(self, concept: Concept, onset_day: int, abated_day: int | None) -> Diagnosis:
        """Record a condition; a lasting condition is recorded once per institution."""
        known = self.known.get(concept)
        if known is not None and known.abated is None:
            return known
        visit = self.visits[-1]
        over = None
        if abated_day is not None and abated_day <= self.body.last_day:
            over = abated_day * 1440 + 720
        onset = min(onset_day * 1440 + 480, visit.start)
        entry = Diagnosis(self.take_number(), concept, onset, over, self.tick())
        self.known[concept] = entry
        visit.entries.append(entry)
        return entry

    def find(self, concept: Concept, value: str | Concept, unit: str = "", price: int = 0) -> int:
        """Record a measurement or an answer; return the number of the entry."""
        visit = self.visits[-1]
        number = self._next
        self._next = number + 1
        visit.entries.append(Finding(number, concept, self.tick(), value, unit))
        visit.cost += price
        return number

    def pressure(self, systolic: float) -> None:
        """Record a blood pressure."""
        upper = int(min(240.0, max(78.0, systolic)))
        lower = int(upper * 0.48 + self.body.rng.random() * 14 + 14)
        parts = (Part(SYSTOLIC, str(upper), "mm[Hg]"), Part(DIASTOLIC, str(lower), "mm[Hg]"))
        self.visits[-1].entries.append(Panel(self.take_number(), BLOOD_PRESSURE, self.tick(), parts))

    def order(self, concept: Concept, days: int, daily: int, reason: Diagnosis | None, price: int) -> None:
        """Record a prescription; the price is per day."""
        visit = self.visits[-1]
        number = reason.number if reason else None
        visit.entries.append(Prescription(self.take_number(), concept, self.tick(), days, daily, number))
        visit.cost += price * days

    def operate(
        self, concept: Concept, minutes: int, reason: Diagnosis | None, price: int, device: int | None = None
    ) -> None:
        """Record a procedure."""
        visit = self.visits[-1]
        start = self.tick()
        number = reason.number if reason else None
        end = min(start + minutes, visit.end)
        visit.entries.append(Procedure(self.take_number(), concept, start, end, number, device))
        visit.cost += price

    def give(self, concept: Concept, price: int) -> None:
        """Record a vaccination."""
        lot = f"{'ABCDEFGH'[below(self.body.rng, 8)]}{below(self.body.rng, 10_000):04d}"
        self.visits[-1].entries.append(Vaccination(self.take_number(), concept, self.tick(), lot))
        self.visits[-1].cost += price

    def report(self, concept: Concept, results: tuple[int, ...], conclusion: str = "") -> None:
        """Record a laboratory report."""
        self.visits[-1].entries.append(
            Report(self.take_number(), concept, self.tick(), False, results, None, conclusion)
        )

    def image(self, study: tuple[str, Concept, int, str], report: Concept, conclusion: str, price: int) -> None:
        """Record an imaging study (modality, body site, images, title) and its report."""
        visit = self.visits[-1]
        modality, place, instances, title = study
        number = self.take_number(2)
        at = self.tick()
        visit.entries.append(Study(number, modality, place, at, instances, title))
        visit.entries.append(Report(number + 1, report, self.tick(), True, (), number, conclusion))
        visit.cost += price

    def write(self, concept: Concept, text: str) -> None:
        """Record a note at the end of the visit."""
        self.visits[-1].entries.append(Note(self.take_number(), concept, self.visits[-1].end, text))

    def hand_out(self, concept: Concept, price: int) -> int:
        """Record a device; return the number of the entry."""
        visit = self.visits[-1]
        serial = f"{below(self.body.rng, 10**10):010d}"
        number = self.take_number()
        visit.entries.append(Device(number, concept, self.tick(), serial))
        visit.cost += price
        return number
