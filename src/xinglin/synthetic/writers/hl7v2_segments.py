"""HL7 v2.5.1 segments of a chart, with fields by chapters 2 to 12 of the standard."""

from __future__ import annotations

from functools import cache

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import (
    Allergy,
    Diagnosis,
    Finding,
    Part,
    Prescription,
    Procedure,
    Vaccination,
    Visit,
    day_text,
)
from xinglin.synthetic.vocabulary.codes import CVX, LOINC, RXNORM, SNOMED, Concept

__all__ = [
    "allergy", "coded", "escaped", "insurance_charge", "observation", "order", "patient", "problem",
    "procedure",
    "segment", "stamp", "vaccine", "visit_segment",
]  # fmt: skip

_SYSTEMS = {SNOMED: "SCT", LOINC: "LN", RXNORM: "RXNORM", CVX: "CVX"}
_CLASSES = {"AMB": "O", "EMER": "E", "IMP": "I"}
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})
_SEXES = {"male": "M", "female": "F"}
_ALLERGENS = {"medication": "DA", "food": "FA", "environment": "EA"}
_RESIDENT = "CHN&2.16.156.10011.1.3&ISO"


def escaped(text: str) -> str:
    """A text with the delimiters of HL7 v2 escaped (chapter 2.7).

    Example:
        >>> escaped("A&B")
        'A\\\\T\\\\B'
    """
    return text.translate(_ESCAPES)


_TIMES = tuple(f"{hour:02d}{minute:02d}00+0800" for hour in range(24) for minute in range(60))


@cache
def _date(day: int) -> str:
    return day_text(day).replace("-", "")


def stamp(minute: int | None) -> str:
    """A minute as a time stamp with the region's offset; empty for None."""
    return "" if minute is None else _date(minute // 1440) + _TIMES[minute % 1440]


def segment(name: str, fields: dict[int, str]) -> str:
    """A segment with the given fields; the others are empty.

    Example:
        >>> segment("PV2", {3: "R05^Cough^I10"})
        'PV2|||R05^Cough^I10'
    """
    whole = [name, *[""] * max(fields)]
    for place, value in fields.items():
        whole[place] = value
    return "|".join(whole)


@cache
def coded(concept: Concept) -> str:
    """A coded element: code, text, system; diagnoses have the ICD-10 code as the alternate."""
    first = f"{concept.code}^{escaped(concept.display)}^{_SYSTEMS[concept.system]}"
    return f"{first}^{concept.icd10}^^I10" if concept.icd10 else first


def patient(site: Site, card: Registration) -> str:
    """PID: the registration."""
    system = f"{site.name.upper()}&urn:xinglin:{site.name}:patient&URI"
    numbers = [f"{card.local_id}^^^^PI", f"{card.number}^^^{system}^MR"]
    if card.national_id is not None:
        country = card.id_country
        passport = f"{country}&http://hl7.org/fhir/sid/passport-{country}&URI"
        kind = "PPN" if country else "NI"
        numbers.append(f"{escaped(card.national_id)}^^^{passport if country else _RESIDENT}^{kind}")
    fields = {
        1: "1",
        3: "~".join(numbers),
        5: f"{escaped(card.family)}^{escaped(card.given)}^^^^^L",
        7: (card.birth or "").replace("-", ""),
        8: _SEXES.get(card.sex or "", ""),
        33: stamp(card.updated),
    }
    if card.line is not None:
        city, district = escaped(card.city or ""), escaped(card.district or "")
        fields[11] = f"{escaped(card.line)}^^{city}^^{card.postal_code}^CHN^H^^{district}^^^^{_date(card.day)}"
    if card.phone is not None:
        fields[13] = f"{card.phone}^PRN^CP^^^^^^^^^{card.phone}"
    if card.died is not None:
        fields |= {29: stamp(card.died), 30: "Y"}
    return segment("PID", fields)


def visit_segment(visit: Visit, number: str, doctor: str, place: str, over: bool) -> str:
    """PV1, and PV2 with the reason: the visit as known at its beginning or after its end.

    Args:
        visit: The visit.
        number: Number of the visit.
        doctor: Attending doctor as XCN.
        place: Location as PL.
        over: Whether the visit has ended.
    """
    fields = {1: "1", 2: _CLASSES[visit.setting], 3: place, 7: doctor, 19: number, 44: stamp(visit.start)}
    if over:
        fields[45] = stamp(visit.end)
        if visit.setting != "AMB":
            fields[36] = "20" if visit.died else "01"
    return segment("PV1", fields) + (f"\rPV2|||{coded(visit.reason.concept)}" if visit.reason else "")


def problem(entry: Diagnosis, number: str) -> str:
    """PRB: a problem from onset to resolution, which a diagnosis segment cannot express."""
    fields = {1: "AD", 2: stamp(entry.recorded), 3: coded(entry.concept), 4: number, 7: stamp(entry.recorded),
              9: stamp(entry.abated), 13: "C", 16: stamp(entry.onset)}  # fmt: skip
    return segment("PRB", fields)


def procedure(entry: Procedure, place: int, number: str, doctor: str) -> str:
    """PR1: a procedure."""
    fields = {1: str(place), 3: coded(entry.concept), 5: stamp(entry.start), 7: str(entry.end - entry.start),
              11: doctor, 19: number, 20: "A"}  # fmt: skip
    return segment("PR1", fields)


def allergy(entry: Allergy, place: int, number: str) -> str:
    """IAM: an allergy with the time it was reported."""
    severity = "SV" if entry.severe else "MI"
    fields = {1: str(place), 2: _ALLERGENS[entry.category], 3: coded(entry.concept), 4: severity, 6: "A", 7: number,
              13: stamp(entry.recorded), 17: "C"}  # fmt: skip
    return segment("IAM", fields)


def observation(entry: Finding | Part, place: int, at: str, doctor: str) -> str:
    """OBX: a number with unit, or a coded answer."""
    if isinstance(entry.value, str):
        unit = f"{escaped(entry.unit)}^{escaped(entry.unit)}^UCUM"
        value = f"NM|{coded(entry.concept)}||{entry.value}|{unit}"
    else:
        value = f"CWE|{coded(entry.concept)}||{coded(entry.value)}|"
    return f"OBX|{place}|{value}|||||F|||{at}||{doctor}"


def order(entry: Prescription, number: str, doctor: str) -> list[str]:
    """ORC, RXE and TQ1: a drug ordered and dispensed."""
    at, until = stamp(entry.at), stamp(entry.at + entry.days * 1440)
    code = coded(entry.concept)
    control = segment("ORC", {1: "NW", 2: number, 5: "CM", 9: at, 12: doctor})
    timing = segment("TQ1", {1: "1", 2: "1^1", 3: f"{entry.daily}^times a day", 6: f"{entry.days}^d", 7: at, 8: until})
    encoded = {2: code, 3: "1", 5: "1^dose", 10: str(entry.days * entry.daily), 12: "0", 22: f"D{entry.days}"}
    return [control, segment("RXE", encoded), timing]


def vaccine(entry: Vaccination, number: str, doctor: str) -> list[str]:
    """ORC and RXA: a vaccination."""
    at = stamp(entry.at)
    control = segment("ORC", {1: "RE", 3: number, 9: at, 12: doctor})
    given = {1: "0", 2: "1", 3: at, 4: at, 5: coded(entry.concept), 6: "999", 10: doctor, 15: entry.lot, 20: "CP",
             21: "A"}  # fmt: skip
    return [control, segment("RXA", given)]


def insurance_charge(visit: Visit, number: str) -> str:
    """FT1: the cost of a visit."""
    amount = f"{visit.cost // 100}.{visit.cost % 100:02d}"
    fields = {1: "1", 2: number, 4: f"{stamp(visit.start)}^{stamp(visit.end)}", 5: stamp(visit.end), 6: "CG",
              7: coded(visit.concept), 10: "1", 11: f"{amount}&CNY"}  # fmt: skip
    if visit.reason is not None:
        fields[19] = coded(visit.reason.concept)
    return segment("FT1", fields)
