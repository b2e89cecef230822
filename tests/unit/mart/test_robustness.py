"""One bad record never stops a build: whatever stands in one element, every other resource becomes what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.mart.region_of import Resource, TinyRegion, about, patient
from tests.unit.mart.test_build import observation
from tests.unit.mart.test_meaning import (
    administration,
    condition,
    dispense,
    encounter,
    immunization,
    procedure,
    request,
    statement,
)
from xinglin.mart.queries import EVENT_TYPES

WRONG: list[Any] = [
    "2024-13-45", "-2024-01-01", "infinity", "epoch", "20240101", "", " ", "2024", "99999-01-01",
    "2024-01-01T99:99:99Z",
    0, -1, 1e308, 2147483647, True, None, [], {}, [None], [{}], {"a": 1}, {"value": 2147483647, "code": "d"},
    {"value": -1e300, "code": "wk"}, {"start": "9999-12-31", "end": "0001-01-01"},
    {"reference": "#"},
    {"coding": [None]}, {"reference": "Encounter?identifier=%ZZ|"}, "\u0000", "9" * 400,
]  # fmt: skip
ELEMENTS = (
    "period", "effectiveDateTime", "effectivePeriod", "effectiveTiming", "performedDateTime", "onsetDateTime",
    "authoredOn", "whenHandedOver", "daysSupply", "quantity", "valueQuantity", "valueRange", "code", "status", "class",
    "category", "verificationStatus", "bodySite", "focus", "specimen", "component", "encounter", "performer", "dosage",
    "dosageInstruction", "medicationReference", "contained", "ingredient", "series", "started", "extension",
    "identifier", "address", "birthDate", "deceasedDateTime", "meta", "total", "item", "payment", "content",
    "presentedForm", "dispenseRequest", "modifierExtension", "implicitRules", "notDone", "taken", "partOf",
    "timingTiming", "_birthDate", "link", "hospitalization", "participant", "referenceRange", "name", "practitioner",
)  # fmt: skip
MAKERS = (observation, condition, procedure, statement, request, administration, dispense, immunization, encounter)


def of_every_type(element: str, wrong: Any, place: int) -> list[Resource]:
    """A resource of every type with the wrong value in that element."""
    name = f"{element.replace('_', 'x')}-{place}"
    made = [make(name, **{element: wrong}) for make in MAKERS]
    known = {resource["resourceType"] for resource in made}
    others = [about(kind, name) | {"status": "final"} | {element: wrong} for kind in sorted(EVENT_TYPES - known)]
    kinds = ("Organization", "Location", "Practitioner", "PractitionerRole", "Medication", "Device", "Specimen")
    return [*made, *others, *({"resourceType": kind, "id": f"{kind}-{name}", element: wrong} for kind in kinds)]


def test_no_value_of_one_element_stops_a_build(tmp_path: Path):
    region = TinyRegion(tmp_path)
    places = [(element, place) for element in ELEMENTS for place in range(len(WRONG))]
    named = {f"{element.replace('_', 'x')}-{place}": 100 + n for n, (element, place) in enumerate(places)}
    region.link({("mercy", "p1"): 17} | {("mercy", name): person for name, person in named.items()})
    region.land([patient(), *(
        resource
        for element, place in places
        for resource in (
            *of_every_type(element, WRONG[place], place),
            patient(f"{element.replace('_', 'x')}-{place}") | {element: WRONG[place]},
        )
    )])  # fmt: skip

    report = region.build()

    assert report.rows["person"] > len(places) * 0.9
    assert region.ask(
        "SELECT sum(rows) FILTER (outcome = 'resources') - sum(rows) FILTER (table_name = '' AND outcome NOT IN "
        "('resources', 'unresolved-reference') AND NOT starts_with(outcome, 'part: ')) FROM etl_count"
    ) == [(0,)]
