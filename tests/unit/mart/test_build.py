"""Readings of FHIR and OMOP, on a few resources each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.mart.region_of import Resource, TinyRegion, about, code, patient
from xinglin.core.ids import omop_key
from xinglin.mart import Rules, queries
from xinglin.mart.expressions import MACROS

DAY = "2020-03-04T23:30:00+08:00"
LOINC = "http://loinc.org"


@pytest.fixture
def region(tmp_path: Path) -> TinyRegion:
    region = TinyRegion(tmp_path)
    region.link({("mercy", "p1"): 17})
    return region


def outcomes(region: TinyRegion, *resources: Resource, rules: Rules | None = None) -> dict[str, int]:
    """What became of these resources: rows by table, reasons by count."""
    region.land([patient(), *resources])
    region.build(rules=rules)
    rows = region.ask(
        "SELECT CASE outcome WHEN 'written' THEN table_name ELSE outcome END, sum(rows)::BIGINT FROM etl_count "
        "WHERE resource_type <> 'Patient' AND outcome NOT IN ('resources', 'mapped') GROUP BY ALL"
    )
    return dict(rows)


def observation(number: str = "o", **more: Any) -> Resource:
    base: Resource = {"status": "final", "code": code("8867-4", LOINC), "effectiveDateTime": DAY}
    return about(
        "Observation", number, **{**base, "valueQuantity": {"value": 1.50, "unit": "/min", "code": "/min"}, **more}
    )


def condition(status: str | None, number: str = "c") -> Resource:
    more = {"verificationStatus": code(status)} if status else {}
    return about("Condition", number, code=code("230690007"), onsetDateTime="2020-03", **more)


WRONG = "entered-in-error"
MISTAKES = [
    about("Condition", "a", code=code("1"), onsetDateTime=DAY, verificationStatus=code(WRONG)),
    about("Encounter", "a", status=WRONG, period={"start": DAY}),
    about("Procedure", "a", status=WRONG, code=code("1"), performedDateTime=DAY),
    about("Immunization", "a", status=WRONG, vaccineCode=code("1"), occurrenceDateTime=DAY),
    about("MedicationRequest", "a", status=WRONG, intent="order", medicationCodeableConcept=code("1"), authoredOn=DAY),
    about("MedicationStatement", "a", status=WRONG, medicationCodeableConcept=code("1"), effectiveDateTime=DAY),
    about("MedicationAdministration", "a", status=WRONG, medicationCodeableConcept=code("1"), effectiveDateTime=DAY),
    about("MedicationDispense", "a", status=WRONG, medicationCodeableConcept=code("1"), whenHandedOver=DAY),
    about("AllergyIntolerance", "a", code=code("1"), recordedDate=DAY, verificationStatus=code(WRONG)),
    about("Device", "a", status=WRONG, type=code("1")),
    about("DeviceUseStatement", "a", status=WRONG, timingDateTime=DAY),
    about("ImagingStudy", "a", status=WRONG, started=DAY),
    about("DiagnosticReport", "a", status=WRONG, conclusion="text", effectiveDateTime=DAY),
    about("DocumentReference", "a", status=WRONG, date=DAY),
    about("Claim", "a", status=WRONG, use="claim", total={"value": 1}),
    about("ExplanationOfBenefit", "a", status=WRONG, use="claim"),
    observation("a", status=WRONG),
]


@pytest.mark.parametrize("resource", MISTAKES, ids=lambda resource: resource["resourceType"])
def test_what_was_entered_in_error_never_becomes_a_row(region: TinyRegion, resource: Resource):
    assert outcomes(region, resource) == {"status-entered-in-error": 1}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("confirmed", "condition_occurrence"),
        (None, "condition_occurrence"),
        ("provisional", "observation"),
        ("differential", "observation"),
        ("refuted", "observation"),
        ("unconfirmed", "status-unconfirmed"),
        ("made-up", "status-unknown"),
    ],
)
def test_the_verification_status_decides_what_a_condition_becomes(
    region: TinyRegion, status: str | None, expected: str
):
    assert outcomes(region, condition(status)) == {expected: 1}


def test_a_verification_status_of_the_wrong_shape_is_not_taken_for_confirmed(region: TinyRegion):
    broken = about("Condition", "c", code=code("1"), onsetDateTime=DAY, verificationStatus="entered-in-error")
    assert outcomes(region, broken) == {"status-entered-in-error": 1}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"valueQuantity": {"value": "high"}}, "value-not-a-number"),
        ({"valueQuantity": [1]}, "no-value"),
        ({"valueQuantity": "1"}, "no-value"),
        ({"valueQuantity": {"value": {"a": 1}}}, "value-not-a-number"),
        ({"effectiveDateTime": "2024-02-30"}, "no-date"),
        ({"effectiveDateTime": 20240101}, "no-date"),
        ({"effectiveDateTime": ["2024-01-01"]}, "no-date"),
        ({"code": "8867-4"}, "no-code"),
        ({"code": []}, "no-code"),
        ({"code": {"coding": {"code": "x"}}}, "no-code"),
        ({"status": 1}, "status-unknown"),
        ({"status": ["final"]}, "status-unknown"),
        ({"status": None}, "status-absent"),
        ({"dataAbsentReason": code("unknown")}, "data-absent"),
    ],
)
def test_a_clash_of_types_is_counted_and_never_a_silent_null(region: TinyRegion, wrong: dict[str, Any], reason: str):
    assert outcomes(region, observation(**wrong)) == {reason: 1}


def test_blood_pressure_gives_one_row_per_component_that_has_a_value(region: TinyRegion):
    parts = [
        {"code": code("8480-6", LOINC), "valueQuantity": {"value": 120, "code": "mm[Hg]"}},
        {"code": code("8462-4", LOINC), "dataAbsentReason": code("unknown")},
    ]
    panel = observation("bp", valueQuantity=None, component=parts)
    del panel["valueQuantity"]
    assert outcomes(region, panel) == {"measurement": 1, "part: data-absent": 1, "part: value-in-components": 1}
    found = region.ask(
        "SELECT measurement_id, measurement_source_value, value_as_number, unit_concept_id FROM measurement"
    )
    assert found == [(omop_key("mercy", "Observation", "bp#1"), "8480-6", 120.0, 8876)]


def test_the_clock_of_the_place_decides_the_day(region: TinyRegion):
    outcomes(region, observation())
    found = region.ask("SELECT measurement_date::VARCHAR, measurement_datetime::VARCHAR FROM measurement")
    assert found == [("2020-03-04", "2020-03-04 23:30:00")]


@pytest.mark.parametrize(("visit", "concept"), [("IMP", 9201), ("AMB", 9202), ("EMER", 9203), ("VR", 5083), ("SS", 0)])
def test_the_class_of_an_encounter_decides_the_visit(region: TinyRegion, visit: str, concept: int):
    outcomes(region, about("Encounter", "e", status="in-progress", **{"class": {"code": visit}}, period={"start": DAY}))
    found = region.ask("SELECT visit_concept_id, visit_source_value, visit_end_date::VARCHAR FROM visit_occurrence")
    assert found == [(concept, visit, "2020-03-04")]


def test_medication_requests_are_a_switch(region: TinyRegion):
    request = about("MedicationRequest", "m", status="active", intent="order", authoredOn=DAY,
                    medicationCodeableConcept=code("1191"))  # fmt: skip
    assert outcomes(region, request, rules=Rules(request_statuses=())) == {"status-active": 1}
    region.build()
    assert region.ask("SELECT drug_source_value FROM drug_exposure") == [("1191",)]


def test_a_medication_is_found_behind_its_reference(region: TinyRegion):
    landed = about("MedicationStatement", "a", status="active", effectiveDateTime=DAY,
                   medicationReference={"reference": "Medication/m"})  # fmt: skip
    contained = about("MedicationStatement", "b", status="active", effectiveDateTime=DAY,
                      contained=[{"id": "x", "code": code("2")}], medicationReference={"reference": "#x"})  # fmt: skip
    medication = {"resourceType": "Medication", "id": "m", "code": code("1")}
    assert outcomes(region, landed, contained, medication)["drug_exposure"] == 2
    assert region.ask("SELECT drug_source_value FROM drug_exposure ORDER BY 1") == [("1",), ("2",)]


def test_conditional_and_absolute_references_lead_to_the_same_keys(region: TinyRegion):
    identifier = [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "99"}]
    doctor = {"resourceType": "Practitioner", "id": "d", "identifier": identifier}
    role = {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"identifier": identifier[0]},
            "specialty": [code("208D00000X")]}  # fmt: skip
    asked = observation("a", performer=[{"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|99"}],
                        encounter={"reference": "https://x.org/fhir/Encounter/e/_history/2"})  # fmt: skip
    lost = observation("b", performer=[{"reference": "Practitioner?identifier=nobody|1"}])
    visit = about("Encounter", "e", status="finished", period={"start": DAY})
    assert outcomes(region, doctor, role, asked, lost, visit)["unresolved-reference"] == 1
    expected = (omop_key("mercy", "Practitioner", "d"), omop_key("mercy", "Encounter", "e"))
    assert region.ask("SELECT provider_id, visit_occurrence_id FROM measurement ORDER BY ALL") == [
        expected,
        (None, None),
    ]
    assert region.ask("SELECT npi, specialty_source_value FROM provider") == [("99", "208D00000X")]


def test_a_person_of_several_sites_is_one_row_decided_by_majority_and_time(region: TinyRegion):
    region.link({("mercy", "p1"): 17, ("lake", "q"): 17, ("east", "z"): 17, ("east", "nobody"): 18})
    region.land([patient(birthDate="1950", address=[{"city": "Old", "line": ["Secret 1"]}])])
    moved = {"address": [{"city": "New", "postalCode": "210000"}], "meta": {"lastUpdated": "2021-01-01T00:00:00Z"}}
    region.land([patient("q", gender="male", deceasedDateTime="2021-05-06", **moved)], "lake")
    region.land([patient("z", birthDate="1950-02-03"), patient("nobody", birthDate=None)], "east")
    report = region.build()
    assert report.excluded == {"no-person": 1}
    person = "person_id, gender_concept_id, year_of_birth, month_of_birth, city, zip"
    assert region.ask(f"SELECT {person} FROM person JOIN location USING (location_id)") == [
        (17, 8532, 1950, 2, "New", "210")
    ]
    assert region.ask("SELECT person_id, death_date::VARCHAR FROM death") == [(17, "2021-05-06")]
    assert region.ask("SELECT count(*) FROM lineage WHERE table_name = 'person'") == [(3,)]


def test_every_row_leads_back_to_its_resource(region: TinyRegion):
    outcomes(
        region, observation(), condition("confirmed"), about("Encounter", "e", status="finished", period={"start": DAY})
    )
    found = region.ask(
        "SELECT table_name, row_id, site, batch, file, row FROM lineage WHERE table_name = 'condition_occurrence'"
    )
    assert found == [
        ("condition_occurrence", omop_key("mercy", "Condition", "c"), "mercy", 1, "Condition-00000.parquet", 0)
    ]


def test_an_increment_gives_what_a_full_build_gives_and_touches_little(region: TinyRegion):
    outcomes(region, condition("confirmed"), observation())
    before = region.build()
    assert (before.units_done, before.buckets_done) == (0, 0)
    region.land([condition("refuted")], batch=2)
    region.superseded_rows[("mercy", 1, "Condition-00000.parquet")] = [0]
    increment = region.build()
    assert (increment.units_done, increment.units_total, increment.buckets_done) == (2, 4, 1)
    shown = {path: path.read_bytes() for path in sorted((region.home / "lake" / "mart").rglob("_snapshot.json"))}
    assert region.build(full=True).units_done == 4
    assert shown == {path: path.read_bytes() for path in shown}
    assert increment.rows["condition_occurrence"] == 0
    assert region.ask("SELECT observation_source_value, qualifier_source_value FROM observation") == [
        ("230690007", "refuted")
    ]


def test_small_files_of_several_sites_are_mapped_together_and_keep_their_own_sites(region: TinyRegion):
    about_visit = {"encounter": {"reference": "Encounter/e"}}
    visit = about("Encounter", "e", status="finished", period={"start": DAY})
    for site in ("mercy", "grace"):
        region.land([patient(), visit, observation(**about_visit), about("Procedure", "x", status="preparation")], site)
    region.link({("mercy", "p1"): 17, ("grace", "p1"): 18})
    region.build()
    assert sorted(region.ask("SELECT measurement_id, person_id, visit_occurrence_id FROM measurement")) == sorted(
        (omop_key(site, "Observation", "o"), person, omop_key(site, "Encounter", "e"))
        for site, person in (("mercy", 17), ("grace", 18))
    )
    assert region.ask("SELECT site, file, rows FROM etl_count WHERE outcome = 'status-preparation' ORDER BY site") == [
        (site, "Procedure-00000.parquet", 1) for site in ("grace", "mercy")
    ]
    assert region.ask(
        "SELECT DISTINCT site, file, row FROM lineage WHERE table_name = 'measurement' ORDER BY site"
    ) == [(site, "Observation-00000.parquet", 0) for site in ("grace", "mercy")]
    assert region.ask("SELECT site, outcome, rows FROM etl_count WHERE file LIKE 'Proc%' AND outcome = 'mapped'") == [
        (site, "mapped", 0) for site in ("grace", "mercy")
    ]


def test_sites_that_arrive_one_after_the_other_give_the_bytes_of_a_full_build(region: TinyRegion):
    for batch, site in ((1, "mercy"), (1, "grace"), (2, "mercy"), (1, "hope"), (2, "grace")):
        own = [patient()] if batch == 1 else []
        region.land([*own, observation(f"o{batch}"), condition("confirmed", f"c{batch}")], site, batch)
        region.link({("mercy", "p1"): 17, ("grace", "p1"): 18, ("hope", "p1"): 19})
        region.build()
    shown = {path: path.read_bytes() for path in (region.home / "lake" / "mart").rglob("_snapshot.json")}
    region.build(full=True)
    assert shown == {path: path.read_bytes() for path in shown}


def test_no_query_reads_what_a_unit_of_several_files_cannot_set():
    sql = [path.read_text() for path in (Path(queries.__file__).parent / "sql").rglob("*.sql")]
    set_once = ("site", "batch", "file", "resource_type")
    assert [text for text in (*sql, *MACROS) for name in set_once if f"getvariable('{name}')" in text] == []


def test_a_merge_of_persons_moves_their_rows(region: TinyRegion):
    outcomes(region, observation())
    region.link({("mercy", "p1"): 18})
    assert region.build().units_done == 2
    assert region.ask("SELECT person_id FROM measurement UNION ALL SELECT person_id FROM person") == [(18,), (18,)]


def test_every_resource_is_either_mapped_or_counted_with_a_reason(region: TinyRegion):
    goal = about("Goal", "g")
    outcomes(region, *MISTAKES, goal, condition("confirmed"), observation())
    excluded = "outcome NOT IN ('written', 'contributes', 'unresolved-reference') AND outcome NOT LIKE 'part: %'"
    sums = region.ask(
        f"SELECT outcome = 'resources', sum(rows)::BIGINT FROM etl_count WHERE {excluded} GROUP BY ALL ORDER BY ALL"
    )
    assert sums == [(False, len(MISTAKES) + 4), (True, len(MISTAKES) + 4)]
