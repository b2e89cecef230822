"""Charts: the records of an institution before they are written in a format.

Times are whole minutes since 0001-01-01T00:00 on the region's clock (UTC+08:00); `number` counts the entries of one
chart, and entries refer to each other by it. Values are decimal strings, so that 1.50 stays 1.50 in every format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import NamedTuple, TypeAlias

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.vocabulary.codes import Concept

__all__ = [
    "Allergy",
    "Chart",
    "Device",
    "Diagnosis",
    "Entry",
    "Finding",
    "Note",
    "Panel",
    "Part",
    "Prescription",
    "Procedure",
    "Report",
    "Study",
    "Vaccination",
    "Visit",
    "clock_text",
    "day_text",
]  # fmt: skip


@cache
def day_text(day: int) -> str:
    """A day as ISO 8601.

    Example:
        >>> day_text(date(2020, 2, 29).toordinal())
        '2020-02-29'
    """
    return date.fromordinal(day).isoformat()


_MINUTES = tuple(f"T{hour:02d}:{minute:02d}:00+08:00" for hour in range(24) for minute in range(60))


def clock_text(minute: int) -> str:
    """A minute as ISO 8601 with the region's offset.

    Example:
        >>> clock_text(date(2020, 2, 29).toordinal() * 1440 + 61)
        '2020-02-29T01:01:00+08:00'
    """
    day, rest = divmod(minute, 1440)
    return day_text(day) + _MINUTES[rest]


class Diagnosis(NamedTuple):
    """A condition with its onset and its end (None while it lasts)."""

    number: int
    concept: Concept
    onset: int
    abated: int | None
    recorded: int


class Finding(NamedTuple):
    """A measurement or an answer: a decimal string with a UCUM unit, or a concept."""

    number: int
    concept: Concept
    at: int
    value: str | Concept
    unit: str


class Part(NamedTuple):
    """One component of a panel."""

    concept: Concept
    value: str
    unit: str


class Panel(NamedTuple):
    """An observation that has components, such as a blood pressure."""

    number: int
    concept: Concept
    at: int
    parts: tuple[Part, ...]


class Prescription(NamedTuple):
    """A prescription: drug, days, doses a day, and the number of its diagnosis."""

    number: int
    concept: Concept
    at: int
    days: int
    daily: int
    reason: int | None


class Procedure(NamedTuple):
    """A procedure."""

    number: int
    concept: Concept
    start: int
    end: int
    reason: int | None
    device: int | None = None


class Vaccination(NamedTuple):
    """A vaccination."""

    number: int
    concept: Concept
    at: int
    lot: str


class Report(NamedTuple):
    """A laboratory or imaging report on other entries, with its conclusion."""

    number: int
    concept: Concept
    at: int
    imaging: bool
    results: tuple[int, ...]
    study: int | None
    conclusion: str


class Study(NamedTuple):
    """An imaging study: its description, without pixels."""

    number: int
    modality: str
    body_site: Concept
    at: int
    instances: int
    title: str


class Note(NamedTuple):
    """A note."""

    number: int
    concept: Concept
    at: int
    text: str


class Device(NamedTuple):
    """A device that was dispensed or implanted."""

    number: int
    concept: Concept
    at: int
    serial: str


class Allergy(NamedTuple):
    """An allergy or intolerance."""

    number: int
    concept: Concept
    category: str
    severe: bool
    recorded: int


Entry: TypeAlias = (
    Diagnosis | Finding | Panel | Prescription | Procedure | Vaccination | Report | Study | Note | Device | Allergy
)


@dataclass(slots=True)
class Visit:
    """One encounter and its entries.

    Args:
        number: Its number in the chart.
        setting: AMB, EMER or IMP (HL7 v3 ActCode).
        concept: Type of the encounter.
        start: Start, in minutes.
        end: End, in minutes.
        practitioner: Number of the practitioner at the site.
        reason: Number of the diagnosis that is the reason.
        previous: Number of the visit it followed (admission from the emergency room).
        entries: Its entries, in order.
        cost: Cost in fen (0.01 yuan).
        died: Whether the patient died during it.
    """

    number: int
    setting: str
    concept: Concept
    start: int
    end: int
    practitioner: int
    reason: Diagnosis | None = None
    previous: int | None = None
    entries: list[Entry] = field(default_factory=list)
    cost: int = 0
    died: bool = False


@dataclass(slots=True)
class Chart:
    """All records of one person at one institution."""

    site: Site
    registration: Registration
    visits: list[Visit] = field(default_factory=list)
