"""HL7 v2.5.1 messages of a health centre: one per event, files by message type, segments end with CR.

For imaging only reports are written: version 2 has no segment for a study, and a health centre makes no images.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import (
    Allergy,
    Chart,
    Diagnosis,
    Finding,
    Note,
    Panel,
    Prescription,
    Procedure,
    Report,
    Vaccination,
    Visit,
)  # fmt: skip
from xinglin.synthetic.writers import Lines
from xinglin.synthetic.writers import hl7v2_segments as segments
from xinglin.synthetic.writers.fhir_pieces import category_of
from xinglin.synthetic.writers.fhir_site import PRACTITIONERS, institution_lines, site_references
from xinglin.synthetic.writers.hl7v2_segments import coded, escaped, segment, stamp

__all__ = ["Hl7v2Writer"]

_STRUCTURES = {"ADT^A28": "ADT_A05", "ADT^A31": "ADT_A05", "ADT^A04": "ADT_A01", "ADT^A01": "ADT_A01",
               "ADT^A03": "ADT_A03", "PPR^PC1": "PPR_PC1", "ORU^R01": "ORU_R01", "RDE^O11": "RDE_O11",
               "VXU^V04": "VXU_V04", "MDM^T02": "MDM_T02", "DFT^P03": "DFT_P03"}  # fmt: skip
_GROUPS = {
    "vital-signs": ("VS", "8716-3^Vital signs^LN"),
    "survey": ("SC", "29554-3^Assessment scales^LN"),
    "social-history": ("SH", "29762-2^Social history^LN"),
    "laboratory": ("LB", "26436-6^Laboratory studies^LN"),
}
_SECTIONS = {"laboratory": "LAB"}


@cache
def _doctors(site: Site, seed: int) -> tuple[str, ...]:
    """A member of staff as XCN."""
    staff = map(orjson.loads, institution_lines(site, seed)["Practitioner"])
    return tuple(
        f"{one['id']}^{escaped(one['name'][0]['family'])}^{escaped(one['name'][0]['given'][0])}" for one in staff
    )


class _Desk:
    """Writes the messages of one chart."""

    def __init__(self, chart: Chart, seed: int, lines: Lines) -> None:
        self.site, self.card, self.lines = chart.site, chart.registration, lines
        self.doctors, self.places = _doctors(chart.site, seed), site_references(chart.site, seed).location_ids
        self.patient = segments.patient(chart.site, chart.registration)
        self.doctor = self.begun = self.over = ""
        self.counter = 0

    def id(self, number: int) -> str:
        """The id of a chart entry."""
        return self.card.entry_id(number)

    def turn(self, visit: Visit) -> None:
        """Set the current visit."""
        self.doctor = self.doctors[visit.practitioner % PRACTITIONERS]
        number, place = self.id(visit.number), self.places[visit.setting]
        self.begun = segments.visit_segment(visit, number, self.doctor, place, over=False)
        self.over = segments.visit_segment(visit, number, self.doctor, place, over=True)

    def send(self, kind: str, at: int, *body: str) -> None:
        """Add a message to the file of its type."""
        self.counter += 1
        event = kind[4:]
        header = (
            f"MSH|^~\\&|XLHIS|{self.site.name}|XINGLIN|REGION|{stamp(at)}||{kind}^{_STRUCTURES[kind]}|"
            f"{self.card.token[:12]}{self.counter:06d}|P|2.5.1|||AL|NE|CHN|UNICODE UTF-8|ZH"
        )
        inside = (f"EVN|{event}|{stamp(at)}",) if kind[:3] in ("ADT", "MDM", "DFT") else ()
        message = "\r".join((header, *inside, self.patient, *body)) + "\r"
        self.lines.setdefault(kind[:3], []).append(message)


def _registration(site: Site, card: Registration, to: _Desk) -> None:
    """Add the patient; a death is an update."""
    to.send("ADT^A28", card.day * 1440 + 480, segment("PV1", {1: "1", 2: "N"}))


def _admission(visit: Visit, to: _Desk) -> None:
    to.send("ADT^A01" if visit.setting == "IMP" else "ADT^A04", visit.start, to.begun)


def _discharge(visit: Visit, to: _Desk) -> None:
    """Add the end of a visit, with its procedures."""
    body = [to.over]
    operations = [entry for entry in visit.entries if isinstance(entry, Procedure)]
    for place, entry in enumerate(operations, 1):
        body.append(segments.procedure(entry, place, to.id(entry.number), to.doctor))
    to.send("ADT^A03", visit.end, *body)


def _problems(visit: Visit, to: _Desk) -> None:
    found = [entry for entry in visit.entries if isinstance(entry, Diagnosis)]
    if found:
        body = [segments.problem(entry, to.id(entry.number)) for entry in found]
        to.send("PPR^PC1", found[-1].recorded, to.over, *body)


def _allergies(visit: Visit, to: _Desk) -> None:
    found = [entry for entry in visit.entries if isinstance(entry, Allergy)]
    if found:
        body = [segments.allergy(entry, place, to.id(entry.number)) for place, entry in enumerate(found, 1)]
        to.send("ADT^A31", visit.end, to.over, *body)


def _request(place: int, number: str, code: str, at: int, section: str, to: _Desk) -> str:
    fields = {1: str(place), 3: number, 4: code, 7: stamp(at), 16: to.doctor, 22: stamp(at), 24: section, 25: "F"}
    return segment("OBR", fields)


def _results(visit: Visit, to: _Desk) -> None:
    """Add the results of a visit: each report with its results, then the others by category."""
    findings = {entry.number: entry for entry in visit.entries if isinstance(entry, Finding)}
    body: list[str] = []
    place = 0
    for report in (entry for entry in visit.entries if isinstance(entry, Report)):
        place += 1
        section = "RAD" if report.imaging else "LAB"
        body.append(_request(place, to.id(report.number), coded(report.concept), report.at, section, to))
        if report.conclusion:
            body.append(f"NTE|1|L|{escaped(report.conclusion)}")
        body += _observations([findings.pop(number) for number in report.results], to)
    for panel in (entry for entry in visit.entries if isinstance(entry, Panel)):
        place += 1
        body.append(_request(place, to.id(panel.number), coded(panel.concept), panel.at, "", to))
        at = stamp(panel.at)
        body += [segments.observation(part, row, at, to.doctor) for row, part in enumerate(panel.parts, 1)]
    for category, (short, code) in _GROUPS.items():
        group = [finding for finding in findings.values() if category_of(finding.concept) == category]
        if group:
            place += 1
            number = f"{to.id(visit.number)}-{short}"
            body.append(_request(place, number, code, group[0].at, _SECTIONS.get(category, ""), to))
            body += _observations(group, to)
    if body:
        to.send("ORU^R01", visit.end, to.over, *body)


def _observations(group: list[Finding], to: _Desk) -> Iterator[str]:
    for place, finding in enumerate(group, 1):
        yield segments.observation(finding, place, stamp(finding.at), to.doctor)


def _orders(visit: Visit, to: _Desk) -> None:
    orders = [entry for entry in visit.entries if isinstance(entry, Prescription)]
    if orders:
        body = [line for entry in orders for line in segments.order(entry, to.id(entry.number), to.doctor)]
        to.send("RDE^O11", orders[-1].at, to.over, *body)
    shots = [entry for entry in visit.entries if isinstance(entry, Vaccination)]
    if shots:
        body = [line for entry in shots for line in segments.vaccine(entry, to.id(entry.number), to.doctor)]
        to.send("VXU^V04", shots[-1].at, to.over, *body)


def _documents(visit: Visit, to: _Desk) -> None:
    for entry in visit.entries:
        if isinstance(entry, Note):
            at, code = stamp(entry.at), coded(entry.concept)
            fields = {1: "1", 2: code, 3: "TX", 4: at, 5: to.doctor, 6: at, 9: to.doctor, 12: to.id(entry.number),
                      17: "AU"}  # fmt: skip
            note = f"OBX|1|TX|{code}||{escaped(entry.text)}||||||F"
            to.send("MDM^T02", entry.at, to.over, segment("TXA", fields), note)


class Hl7v2Writer:
    """Writes HL7 v2.5.1 messages in UTF-8."""

    suffix = ".hl7"
    reading = "hl7v2"
    database = None

    def institution(self, site: Site, seed: int) -> Lines:
        """Nothing: each message contains the staff and locations it needs."""
        return {}

    def patient(self, site: Site, registration: Registration, lines: Lines) -> None:
        """Add the message for a new patient."""
        _registration(site, registration, _Desk(Chart(site, registration), 0, lines))

    def chart(self, chart: Chart, seed: int, lines: Lines) -> None:
        """Add the messages about a patient, visit by visit."""
        to = _Desk(chart, seed, lines)
        _registration(chart.site, chart.registration, to)
        for visit in chart.visits:
            to.turn(visit)
            for write in (_admission, _problems, _results, _orders, _documents, _discharge, _allergies):
                write(visit, to)
            to.send("DFT^P03", visit.end, to.over, segments.insurance_charge(visit, to.id(visit.number + 1)))

    def encode(self, lines: list[str]) -> bytes:
        """Messages, one after the other."""
        return "".join(lines).encode()

    def head(self, stem: str) -> bytes:
        """Nothing."""
        return b""

    def finish(self, site: Site, folder: Path) -> None:
        """Nothing to do."""

    def mapping(self, site: Site) -> None:
        """None: HL7 v2 needs no mapping."""
