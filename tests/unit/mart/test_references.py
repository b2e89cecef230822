"""Stays in parts are one visit, and no reference of a row dangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.mart.region_of import Resource, TinyRegion, about, patient
from tests.unit.mart.test_build import observation
from tests.unit.mart.test_meaning import condition, encounter, procedure, request
from xinglin.core.ids import omop_key
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.lake import Lake
from xinglin.mart import check_mart


@pytest.fixture
def region(tmp_path: Path) -> TinyRegion:
    region = TinyRegion(tmp_path)
    region.link({("mercy", "p1"): 17, ("mercy", "p2"): 18})
    return region


def key(number: str, kind: str = "Encounter") -> int:
    return omop_key("mercy", kind, number)


def part(number: str, whole: str, start: str = "2024-01-01", end: str = "2024-01-09", **more: Any) -> Resource:
    return encounter(number, period={"start": start, "end": end}, partOf={"reference": f"Encounter/{whole}"}, **more)


def at(number: str) -> Resource:
    return {"encounter": {"reference": f"Encounter/{number}"}}


def blocking(region: TinyRegion) -> tuple[str, ...]:
    return check_mart(Lake(region.home / "lake", permit=OPEN), Settings(home=region.home, threads=1)).blocking


def test_a_stay_in_parts_is_one_visit_and_events_of_its_parts_belong_to_it(region: TinyRegion):
    claim = about("Claim", "k", status="active", use="claim", total={"value": 5},
                  item=[{"encounter": [{"reference": "Encounter/ward"}]}])  # fmt: skip
    region.land(
        [
            patient(),
            encounter("stay", period={"start": "2024-01-01", "end": "2024-01-09"}),
            part("department", "stay", end="2024-01-05"),
            part("ward", "department", end="2024-01-03"),
            part("other", "stay", start="2024-01-05"),
            condition("c", onsetDateTime="2024-01-02", **at("ward")),
            observation("o", effectiveDateTime="2024-01-06", **at("other")),
            procedure("r", performedDateTime="2024-01-06", **at("stay")),
            claim,
        ]
    )
    region.build()

    assert region.ask("SELECT visit_occurrence_id, visit_end_date::VARCHAR FROM visit_occurrence") == [
        (key("stay"), "2024-01-09")
    ]
    details = "visit_detail_id, parent_visit_detail_id, visit_occurrence_id, visit_detail_end_date::VARCHAR"
    assert sorted(region.ask(f"SELECT {details} FROM visit_detail")) == sorted(
        [
            (key("department"), None, key("stay"), "2024-01-05"),
            (key("ward"), key("department"), key("stay"), "2024-01-03"),
            (key("other"), None, key("stay"), "2024-01-09"),
        ]
    )
    events = " UNION ALL ".join(
        f"SELECT visit_occurrence_id, visit_detail_id FROM {table}"
        for table in ("condition_occurrence", "measurement", "procedure_occurrence")
    )
    stay = key("stay")
    assert region.ask(events) == [(stay, key("ward")), (stay, key("other")), (stay, None)]
    assert region.ask("SELECT cost_event_id FROM cost") == [(stay,)]
    led = "SELECT table_name, count(*) FROM lineage WHERE resource_type = 'Encounter' GROUP BY 1 ORDER BY 1"
    assert region.ask(led) == [
        ("visit_detail", 3), ("visit_occurrence", 1),
    ]  # fmt: skip
    assert blocking(region) == ()


def test_a_part_without_its_whole_stands_for_the_visit(region: TinyRegion):
    region.land(
        [
            patient(),
            patient("p2"),
            encounter("cancelled", status="cancelled"),
            part("a", "never-sent"),
            part("b", "cancelled"),
            part("c", "b"),
            {**part("d", "a"), "subject": {"reference": "Patient/p2"}},
            part("round", "trip"),
            part("trip", "round"),
            part("self", "self"),
        ]
    )
    region.build()

    visits = {row[0] for row in region.ask("SELECT visit_occurrence_id FROM visit_occurrence")}
    assert visits == {key(number) for number in ("a", "b", "d", "round", "trip", "self")}
    assert region.ask("SELECT visit_detail_id, visit_occurrence_id FROM visit_detail") == [(key("c"), key("b"))]
    assert blocking(region) == ()


def test_a_reference_without_a_target_is_null_and_counted_until_the_target_comes(region: TinyRegion):
    region.land([patient(generalPractitioner=[{"reference": "Practitioner/d"}])])
    region.land(
        [
            observation("o", performer=[{"reference": "Practitioner/d"}], **at("e")),
            request("m", requester={"reference": "Practitioner/d"}),
            condition("c", **at("cancelled")),
            encounter("cancelled", status="cancelled"),
            encounter("v", serviceProvider={"reference": "Organization/x"}),
            about("Claim", "k", status="active", use="claim", total={"value": 5},
                  item=[{"encounter": [{"reference": "Encounter/none"}]}]),
        ],
        batch=2,
    )  # fmt: skip
    region.build()

    assert region.ask("SELECT visit_occurrence_id, provider_id FROM measurement") == [(None, None)]
    assert region.ask("SELECT visit_occurrence_id FROM condition_occurrence") == [(None,)]
    assert region.ask("SELECT care_site_id FROM visit_occurrence") == [(None,)]
    assert region.ask("SELECT provider_id FROM person") == [(None,)]
    assert region.ask("SELECT table_name, outcome, rows FROM etl_count WHERE batch = 0 ORDER BY ALL") == [
        ("condition_occurrence", "reference-without-target", 1),
        ("cost", "dropped", 1),
        ("drug_exposure", "reference-without-target", 1),
        ("measurement", "reference-without-target", 2),
        ("visit_occurrence", "reference-without-target", 1),
    ]
    assert blocking(region) == ()

    doctor = {"resourceType": "Practitioner", "id": "d"}
    region.land([encounter("e"), doctor, {"resourceType": "Organization", "id": "x"}], batch=3)
    increment = region.build()
    doctors = [(key("d", "Practitioner"),)]
    assert region.ask("SELECT provider_id FROM measurement") == doctors
    assert region.ask("SELECT provider_id FROM drug_exposure") == doctors
    assert region.ask("SELECT provider_id FROM person") == doctors
    assert region.ask("SELECT visit_occurrence_id FROM measurement") == [(key("e"),)]
    assert increment.buckets_done == 1
    shown = {path: path.read_bytes() for path in sorted((region.home / "lake" / "mart").rglob("_snapshot.json"))}
    region.build(full=True)
    assert shown == {path: path.read_bytes() for path in shown}
    assert blocking(region) == ()


def test_a_cost_without_its_visit_is_dropped_and_comes_back_with_its_lineage_when_the_visit_comes(region: TinyRegion):
    claim = about("Claim", "k", status="active", use="claim", total={"value": 5},
                  item=[{"encounter": [{"reference": "Encounter/e"}]}])  # fmt: skip
    region.land([patient(), condition("c"), claim])
    region.build()
    assert region.ask("SELECT DISTINCT table_name FROM lineage ORDER BY 1") == [("condition_occurrence",), ("person",)]

    region.land([encounter("e")], batch=2)
    region.build()

    assert region.ask("SELECT cost_event_id FROM cost") == [(key("e"),)]
    assert ("cost",) in region.ask("SELECT DISTINCT table_name FROM lineage")
    shown = {path: path.read_bytes() for path in sorted((region.home / "lake" / "mart").rglob("_snapshot.json"))}
    region.build(full=True)
    assert shown == {path: path.read_bytes() for path in shown}


def test_an_admission_that_is_part_of_an_emergency_visit_makes_it_an_emergency_and_inpatient_visit(region: TinyRegion):
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    emergency = encounter("er", period={"start": "2024-01-01", "end": "2024-01-01"})
    emergency["class"] = {"system": act, "code": "EMER"}
    admission = part("ward", "er", "2024-01-01", "2024-01-06")
    admission["class"] = {"system": act, "code": "IMP"}
    region.land([patient(), emergency, admission])
    region.build()

    visits = "SELECT visit_concept_id, visit_start_date::VARCHAR, visit_end_date::VARCHAR FROM visit_occurrence"
    assert region.ask(visits) == [(262, "2024-01-01", "2024-01-06")]
    assert region.ask("SELECT visit_detail_concept_id FROM visit_detail") == [(9201,)]
