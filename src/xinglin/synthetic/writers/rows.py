"""Charts as rows of tables, before a file format: one tuple per row, in the order of `COLUMNS`.

Times are minutes and days are ordinals (`records`); each format writes them in its own notation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import (
    Allergy,
    Chart,
    Device,
    Diagnosis,
    Entry,
    Finding,
    Note,
    Panel,
    Prescription,
    Procedure,
    Report,
    Study,
    Vaccination,
    Visit,
)  # fmt: skip
from xinglin.synthetic.vocabulary.terms import DIASTOLIC, SYSTOLIC
from xinglin.synthetic.writers import Lines
from xinglin.synthetic.writers.fhir_pieces import category_of
from xinglin.synthetic.writers.fhir_site import SiteReferences, institution_lines, site_references

__all__ = ["COLUMNS", "DAYS", "MOMENTS", "Row", "RowWriter"]

Row = tuple[str, tuple[Any, ...]]
"""Name of the table, and the values."""

_OF_VISIT = "id patient visit code name"
COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "institution": "id name phone line district city postal_code",
        "department": "id name role institution",
        "staff": "id licence family given sex",
        "patient": "id number name family given sex birth id_type id_country national_id phone line district city "
        "postal_code registered died updated",
        "visit": "id patient setting code name start end doctor department institution reason_code reason_name "
        "reason_icd10 discharge previous updated",
        "diagnosis": f"{_OF_VISIT} icd10 onset abated recorded doctor updated",
        "result": f"{_OF_VISIT} category value unit answer_code answer_name at doctor updated",
        "pressure": "id patient visit systolic diastolic at doctor updated",
        "prescription": f"{_OF_VISIT} at days daily quantity until diagnosis doctor updated",
        "treatment": f"{_OF_VISIT} start end diagnosis device doctor updated",
        "vaccination": f"{_OF_VISIT} at lot doctor updated",
        "report": f"{_OF_VISIT} category at conclusion study results doctor updated",
        "study": f"{_OF_VISIT} modality at uid series_uid instances title updated",
        "note": f"{_OF_VISIT} at text doctor updated",
        "device": f"{_OF_VISIT} at made serial doctor updated",
        "allergy": f"{_OF_VISIT} category criticality recorded doctor updated",
        "bill": f"{_OF_VISIT} start end amount diagnosis institution updated",
    }.items()
}
MOMENTS = frozenset(("start", "end", "onset", "abated", "recorded", "at", "until", "made", "died", "updated"))
"""Columns that hold minutes."""
DAYS = frozenset(("registered",))
"""Columns that hold days."""


def institution_rows(site: Site, seed: int) -> Iterator[Row]:
    """The institution, its departments and its staff."""
    lines = institution_lines(site, seed)
    owner = orjson.loads(lines["Organization"][0])
    home = owner["address"][0]
    yield (
        "institution",
        (
            owner["id"],
            owner["name"],
            owner["telecom"][0]["value"],
            home["line"][0],
            home["district"],
            home["city"],
            home["postalCode"],
        ),
    )
    for place in map(orjson.loads, lines["Location"]):
        yield "department", (place["id"], place["name"], place["type"][0]["coding"][0]["code"], owner["id"])
    for person in map(orjson.loads, lines["Practitioner"]):
        name = person["name"][0]
        licence = person["identifier"][0]["value"]
        yield "staff", (person["id"], licence, name["family"], name["given"][0], person["gender"])


def patient_row(card: Registration) -> Row:
    """The row of a patient by registration."""
    kind = None if card.national_id is None else "PPN" if card.id_country else "NI"
    return "patient", (
        card.local_id, card.number, card.shown_name, card.family, card.given, card.sex, card.birth, kind,
        card.id_country if card.national_id else None, card.national_id, card.phone, card.line, card.district,
        card.city, card.postal_code, card.day, card.died, card.updated,
    )  # fmt: skip


class _Page:
    """The chart being written, and the visit at hand."""

    def __init__(self, chart: Chart, staff: SiteReferences) -> None:
        self.card, self.site = chart.registration, staff
        self.patient = chart.registration.local_id
        self.visit = self.doctor = ""
        self.updated = 0

    def turn(self, visit: Visit) -> None:
        """Go on to another visit."""
        self.visit, self.updated = self.card.entry_id(visit.number), visit.end
        self.doctor = self.site.practitioner_id(visit.practitioner)

    def id(self, number: int | None) -> str | None:
        """The id of a chart entry; None for None."""
        return None if number is None else self.card.entry_id(number)

    def start(self, number: int, code: str, name: str) -> tuple[Any, ...]:
        """The first columns of a row of a visit."""
        return self.id(number), self.patient, self.visit, code, name


def chart_rows(chart: Chart, seed: int) -> Iterator[Row]:
    """All rows of a patient."""
    yield patient_row(chart.registration)
    page = _Page(chart, site_references(chart.site, seed))
    for visit in chart.visits:
        page.turn(visit)
        yield _visit(visit, page)
        for entry in visit.entries:
            table, row = _ROWS[type(entry)]
            if isinstance(entry, Panel):
                yield "pressure", row(entry, page)
            else:
                first = page.start(entry.number, *_named(entry))
                yield table, (*first, *row(entry, page), page.updated)
        yield _bill(visit, page)


def _named(entry: Entry) -> tuple[str, str]:
    """Code and name of an entry; of a study, those of the body site."""
    concept = entry.body_site if isinstance(entry, Study) else entry.concept
    return concept.code, concept.display


def _visit(visit: Visit, page: _Page) -> Row:
    reason = visit.reason.concept if visit.reason else None
    discharge = None if visit.setting == "AMB" else "exp" if visit.died else "home"
    return "visit", (
        page.visit, page.patient, visit.setting, visit.concept.code, visit.concept.display, visit.start, visit.end,
        page.doctor, page.site.location_ids[visit.setting], page.site.organization_id,
        reason.code if reason else None, reason.display if reason else None, reason.icd10 if reason else None,
        discharge, page.id(visit.previous), visit.end,
    )  # fmt: skip


def _bill(visit: Visit, page: _Page) -> Row:
    amount = f"{visit.cost // 100}.{visit.cost % 100:02d}"
    reason = page.id(visit.reason.number) if visit.reason else None
    first = page.start(visit.number + 1, visit.concept.code, visit.concept.display)
    return "bill", (*first, visit.start, visit.end, amount, reason, page.site.organization_id, visit.end)


def _diagnosis(entry: Diagnosis, page: _Page) -> tuple[Any, ...]:
    return entry.concept.icd10 or None, entry.onset, entry.abated, entry.recorded, page.doctor


def _result(entry: Finding, page: _Page) -> tuple[Any, ...]:
    found = entry.value
    values = (found, entry.unit, None, None) if isinstance(found, str) else (None, None, found.code, found.display)
    return category_of(entry.concept), *values, entry.at, page.doctor


def _pressure(entry: Panel, page: _Page) -> tuple[Any, ...]:
    values = {part.concept: part.value for part in entry.parts}
    first = (page.id(entry.number), page.patient, page.visit)
    return *first, values.get(SYSTOLIC), values.get(DIASTOLIC), entry.at, page.doctor, page.updated


def _prescription(entry: Prescription, page: _Page) -> tuple[Any, ...]:
    until = entry.at + entry.days * 1440
    quantity = entry.days * entry.daily
    return entry.at, entry.days, entry.daily, quantity, until, page.id(entry.reason), page.doctor


def _treatment(entry: Procedure, page: _Page) -> tuple[Any, ...]:
    return entry.start, entry.end, page.id(entry.reason), page.id(entry.device), page.doctor


def _vaccination(entry: Vaccination, page: _Page) -> tuple[Any, ...]:
    return entry.at, entry.lot, page.doctor


def _report(entry: Report, page: _Page) -> tuple[Any, ...]:
    results = ";".join(filter(None, map(page.id, entry.results))) or None
    category = "RAD" if entry.imaging else "LAB"
    return category, entry.at, entry.conclusion or None, page.id(entry.study), results, page.doctor


def _study(entry: Study, page: _Page) -> tuple[Any, ...]:
    uid = int((page.id(entry.number) or "").replace("-", ""), 16)
    return entry.modality, entry.at, f"2.25.{uid}", f"2.25.{uid ^ 1}", entry.instances, entry.title


def _note(entry: Note, page: _Page) -> tuple[Any, ...]:
    return entry.at, entry.text, page.doctor


def _device(entry: Device, page: _Page) -> tuple[Any, ...]:
    return entry.at, entry.at - 129_600, entry.serial, page.doctor


def _allergy(entry: Allergy, page: _Page) -> tuple[Any, ...]:
    return entry.category, "high" if entry.severe else "low", entry.recorded, page.doctor


_ROWS: dict[type, tuple[str, Callable[..., tuple[Any, ...]]]] = {
    Diagnosis: ("diagnosis", _diagnosis),
    Finding: ("result", _result),
    Panel: ("pressure", _pressure),
    Prescription: ("prescription", _prescription),
    Procedure: ("treatment", _treatment),
    Vaccination: ("vaccination", _vaccination),
    Report: ("report", _report),
    Study: ("study", _study),
    Note: ("note", _note),
    Device: ("device", _device),
    Allergy: ("allergy", _allergy),
}


class RowWriter(ABC):
    """Common part of writers of tables: charts as rows, one line each."""

    def institution(self, site: Site, seed: int) -> Lines:
        """Add the rows about the institution itself."""
        lines: Lines = {}
        self._gather(institution_rows(site, seed), lines)
        return lines

    def patient(self, site: Site, registration: Registration, lines: Lines) -> None:
        """Add a patient."""
        self._gather([patient_row(registration)], lines)

    def chart(self, chart: Chart, seed: int, lines: Lines) -> None:
        """Add all rows of a patient."""
        self._gather(chart_rows(chart, seed), lines)

    def _gather(self, rows: Iterable[Row], lines: Lines) -> None:
        for row in rows:
            stem, line = self.line(row)
            lines.setdefault(stem, []).append(line)

    @abstractmethod
    def line(self, row: Row) -> tuple[str, str]:
        """The stem of a row's file, and the row as a line."""
