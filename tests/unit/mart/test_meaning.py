"""What a resource means: negations, modifiers, placeholder dates, codings, units, whose it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.mart.region_of import Resource, TinyRegion, about, code, digits, patient
from tests.unit.mart.test_build import observation, outcomes

DAY = "2024-03-05"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


@pytest.fixture
def region(tmp_path: Path) -> TinyRegion:
    region = TinyRegion(tmp_path)
    region.link({("mercy", "p1"): 17})
    return region


def condition(number: str = "c", **more: Any) -> Resource:
    return about("Condition", number, **{"code": code("44054006"), "onsetDateTime": DAY, **more})


def procedure(number: str = "r", **more: Any) -> Resource:
    base = {"status": "completed", "code": code("80146002"), "performedDateTime": DAY}
    return about("Procedure", number, **{**base, **more})


def statement(number: str = "s", **more: Any) -> Resource:
    base = {"status": "completed", "effectiveDateTime": DAY, "medicationCodeableConcept": code("197361", RXNORM)}
    return about("MedicationStatement", number, **{**base, **more})


def request(number: str = "m", **more: Any) -> Resource:
    base = {"status": "active", "intent": "order", "authoredOn": DAY}
    return about("MedicationRequest", number, **{**base, "medicationCodeableConcept": code("197361", RXNORM), **more})


def administration(number: str = "a", **more: Any) -> Resource:
    base = {"status": "completed", "effectiveDateTime": DAY}
    return about(
        "MedicationAdministration", number, **{**base, "medicationCodeableConcept": code("197361", RXNORM), **more}
    )


def dispense(number: str = "d", **more: Any) -> Resource:
    base = {"status": "completed", "whenHandedOver": DAY, "medicationCodeableConcept": code("197361", RXNORM)}
    return about("MedicationDispense", number, **{**base, **more})


def immunization(number: str = "i", **more: Any) -> Resource:
    base = {"status": "completed", "vaccineCode": code("140", "http://hl7.org/fhir/sid/cvx"), "occurrenceDateTime": DAY}
    return about("Immunization", number, **{**base, **more})


def encounter(number: str = "e", **more: Any) -> Resource:
    base = {"status": "finished", "class": {"code": "IMP"}, "period": {"start": DAY, "end": DAY}}
    return about("Encounter", number, **{**base, **more})


def quantity(value: object, unit_code: str, system: str | None = UCUM) -> Resource:
    return {"valueQuantity": {"value": value, "unit": unit_code, "code": unit_code}
            | ({"system": system} if system else {})}  # fmt: skip


# Modifiers and negations.

STRANGE = [{"url": "https://example.org/absent", "valueBoolean": True}]


@pytest.mark.parametrize(
    "make", [condition, procedure, statement, request, administration, dispense, immunization, encounter, observation]
)
@pytest.mark.parametrize(
    ("more", "reason"),
    [({"modifierExtension": STRANGE}, "modifier-extension"), ({"implicitRules": "https://x.org"}, "implicit-rules")],
)
def test_what_must_be_understood_and_is_not_gives_no_row(region: TinyRegion, make: Any, more: Resource, reason: str):
    assert outcomes(region, make(**more)) == {reason: 1}


def test_a_modifier_extension_inside_an_element_bars_the_resource(region: TinyRegion):
    dosage = [{"text": "one a day", "modifierExtension": STRANGE}]
    assert outcomes(region, request(dosageInstruction=dosage)) == {"modifier-extension": 1}


def test_a_modifier_extension_of_a_component_bars_that_component_alone(region: TinyRegion):
    parts = [
        {"code": code("8480-6"), **quantity(120, "mm[Hg]")},
        {"code": code("8462-4"), **quantity(80, "mm[Hg]"), "modifierExtension": STRANGE},
    ]
    panel = observation(component=parts)
    del panel["valueQuantity"]
    assert outcomes(region, panel) == {
        "measurement": 1, "part: modifier-extension": 1, "part: value-in-components": 1,
    }  # fmt: skip


def test_a_word_in_a_text_is_no_modifier_extension(region: TinyRegion):
    assert outcomes(region, condition(note=[{"text": 'see "modifierExtension": none'}])) == {"condition_occurrence": 1}


def test_a_patient_that_may_not_be_processed_is_nobody(region: TinyRegion):
    animal = [{"url": "http://hl7.org/fhir/StructureDefinition/patient-animal"}]
    region.land([patient(modifierExtension=animal), condition()])
    report = region.build()
    assert report.excluded == {"modifier-extension": 1, "no-person": 1}
    assert report.rows["person"] == 0


def test_a_medication_that_may_not_be_processed_is_no_drug(region: TinyRegion):
    drug = {"resourceType": "Medication", "id": "m", "code": code("1"), "modifierExtension": STRANGE}
    found = outcomes(
        region, drug, statement(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    )
    assert found["no-code"] == 1


@pytest.mark.parametrize(
    "resource",
    [
        procedure(notDone=True),
        procedure(notPerformed=True),
        procedure(notDone="true"),
        statement(taken="n"),
        statement(taken="unk"),
        statement(wasNotTaken=True),
        administration(notGiven=True),
        administration(wasNotGiven=True),
        immunization(notGiven=True),
        immunization(wasNotGiven=True),
        dispense(notDone=True),
    ],
)
def test_what_an_older_release_says_was_not_done_gives_no_row(region: TinyRegion, resource: Resource):
    assert outcomes(region, resource) == {"not-done": 1}


@pytest.mark.parametrize("resource", [statement(taken="y"), administration(notGiven=False), dispense(notDone=False)])
def test_what_an_older_release_says_was_done_is_a_row(region: TinyRegion, resource: Resource):
    assert outcomes(region, resource) == {"drug_exposure": 1}


@pytest.mark.parametrize(
    "resource",
    [
        condition(verificationStatus="entered-in-error"),
        condition(status="entered-in-error"),
        about("AllergyIntolerance", "a", code=code("1"), recordedDate=DAY, status="entered-in-error"),
        about("AllergyIntolerance", "a", code=code("1"), recordedDate=DAY, verificationStatus="entered-in-error"),
    ],
)
def test_an_error_is_none_in_the_form_of_an_older_release_either(region: TinyRegion, resource: Resource):
    assert outcomes(region, resource) == {"status-entered-in-error": 1}


# Codings.


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("confirmed", "condition_occurrence"),
        ("refuted", "observation"),
        ("unconfirmed", "status-unconfirmed"),
        ("entered-in-error", "status-entered-in-error"),
    ],
)
def test_the_coding_of_the_value_set_counts_wherever_it_stands(region: TinyRegion, status: str, expected: str):
    codings = [{"system": "urn:local:certainty", "code": "confirmed"}, {"system": CLINICAL, "code": status}]
    assert outcomes(region, condition(verificationStatus={"coding": codings})) == {expected: 1}


def test_two_contradicting_codings_of_the_value_set_are_none(region: TinyRegion):
    codings = [{"system": CLINICAL, "code": "confirmed"}, {"system": CLINICAL, "code": "refuted"}]
    assert outcomes(region, condition(verificationStatus={"coding": codings})) == {"status-unknown": 1}


def test_an_allergy_is_refuted_by_its_second_coding(region: TinyRegion):
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    codings = [{"system": "urn:local", "code": "R"}, {"system": system, "code": "refuted"}]
    allergy = about("AllergyIntolerance", "a", code=code("1"), recordedDate=DAY, verificationStatus={"coding": codings})
    assert outcomes(region, allergy) == {"status-refuted": 1}


def test_a_coding_of_a_known_system_goes_before_a_local_one(region: TinyRegion):
    both = {"coding": [{"system": "urn:local", "code": "X1"}, {"system": "http://loinc.org", "code": "718-7"}]}
    outcomes(region, observation(code=both))
    assert region.ask("SELECT measurement_source_value FROM measurement") == [("718-7",)]


def test_the_class_of_a_visit_is_read_in_its_own_system(region: TinyRegion):
    local = {"system": "urn:local:class", "code": "AMB"}
    standard = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    outcomes(region, encounter("a", **{"class": local}), encounter("b", **{"class": standard}))
    assert region.ask("SELECT visit_concept_id, visit_source_value FROM visit_occurrence ORDER BY 1") == [
        (0, "AMB"),
        (9202, "AMB"),
    ]


# Units and digits.


@pytest.mark.parametrize(
    ("unit", "system", "concept"),
    [
        ("g", "https://example.org/units", 0),
        ("h", "urn:local", 0),
        ("g/dL", UCUM, 8713),
        ("g/dL", "urn:oid:2.16.840.1.113883.6.8", 8713),
        ("g/dL", None, 8713),
    ],
)
def test_a_unit_has_the_meaning_its_system_gives_it(region: TinyRegion, unit: str, system: str | None, concept: int):
    outcomes(region, observation(**quantity(37, unit, system)))
    assert region.ask("SELECT unit_concept_id, unit_source_value FROM measurement") == [(concept, unit)]


@pytest.mark.parametrize(
    ("supply", "days", "end"),
    [
        ({"value": 10, "code": "d", "system": UCUM}, 10, "2024-03-14"),
        ({"value": 2, "code": "wk", "system": UCUM}, 14, "2024-03-18"),
        ({"value": 10}, 10, "2024-03-14"),
        ({"value": 10, "code": "d", "system": "urn:local:doses"}, None, DAY),
        ({"value": 99999, "unit": "days"}, 99999, DAY),
        ({"value": 2147483647}, 2147483647, DAY),
    ],
)
def test_a_supply_lasts_as_long_as_its_unit_says(region: TinyRegion, supply: Resource, days: int | None, end: str):
    outcomes(region, dispense(daysSupply=supply))
    assert region.ask("SELECT days_supply, drug_exposure_end_date::VARCHAR FROM drug_exposure") == [(days, end)]


@pytest.mark.parametrize("value", ["1.10", "1.0E-2", "12345678901234567890.123456789", "5.0", "7", "-0.50", "100.000"])
def test_the_digits_of_a_value_stay_as_they_were_written(region: TinyRegion, value: str):
    part = {"code": code("x"), "valueRange": {"low": {"value": digits(value)}, "high": {"value": digits("9.90")}}}
    outcomes(region, observation(component=[part], **quantity(digits(value), "g/dL")))
    found = region.ask("SELECT value_source_value, value_as_number FROM measurement")
    assert found == [(value, float(value))]
    assert region.ask("SELECT value_source_value FROM observation") == [(f"{value}-9.90",)]


# Dates.

UNKNOWN = ["1900-01-01", "0001-01-01", "1850-01-01", "9999-12-31", "2999-01-01", "2100-01-01T00:00:00Z", "2099-12-31",
           "1899-12-30T00:00:00+08:00", "1970-01-01T00:00:00Z", "1970-01-01T08:00:00+08:00"]  # fmt: skip


@pytest.mark.parametrize("day", UNKNOWN)
def test_a_placeholder_for_a_day_is_no_day(region: TinyRegion, day: str):
    assert outcomes(region, procedure(performedDateTime=day)) == {"date-implausible": 1}


def test_a_real_day_of_1970_stays(region: TinyRegion):
    kept = [procedure("a", performedDateTime="1970-01-01"), procedure("b", performedDateTime="1970-01-01T10:00:00Z")]
    assert outcomes(region, *kept) == {"procedure_occurrence": 2}


def test_behind_a_placeholder_the_next_best_day_counts(region: TinyRegion):
    outcomes(region, condition(onsetDateTime="1900-01-01", recordedDate=DAY))
    assert region.ask("SELECT condition_start_date::VARCHAR FROM condition_occurrence") == [(DAY,)]


@pytest.mark.parametrize("day", UNKNOWN)
def test_an_open_end_stretches_nothing(region: TinyRegion, day: str):
    open_period = {"start": "2024-03-01", "end": day}
    outcomes(
        region,
        statement(effectiveDateTime=None, effectivePeriod=open_period),
        encounter(period=open_period),
        procedure(performedDateTime=None, performedPeriod=open_period),
        condition(onsetDateTime="2024-03-01", abatementDateTime=day),
        about("DeviceUseStatement", "u", status="active", timingPeriod=open_period, device={"reference": "Device/x"}),
    )
    ends = "SELECT DISTINCT drug_exposure_end_date::VARCHAR FROM drug_exposure"
    assert region.ask(ends) == [("2024-03-01",)]
    assert region.ask("SELECT visit_end_date::VARCHAR FROM visit_occurrence") == [("2024-03-01",)]
    assert region.ask("SELECT procedure_end_date FROM procedure_occurrence") == [(None,)]
    assert region.ask("SELECT condition_end_date FROM condition_occurrence") == [(None,)]
    period = "observation_period_start_date::VARCHAR, observation_period_end_date::VARCHAR"
    assert region.ask(f"SELECT {period} FROM observation_period") == [("2024-03-01", "2024-03-01")]


@pytest.mark.parametrize("born", ["0001-01-01", "1849-05-05", "1850-01-01", "1900-01-01", "9999-12-31", "1900"])
def test_a_placeholder_for_a_birth_date_is_none(region: TinyRegion, born: str):
    region.link({("mercy", "p1"): 17, ("lake", "p1"): 17, ("lake", "q"): 18})
    region.land([patient(birthDate=born)])
    region.land([patient(birthDate="1962-05-04"), patient("q", birthDate=born)], "lake")
    region.build()
    assert region.ask("SELECT person_id, year_of_birth FROM person") == [(17, 1962)]


def test_nobody_dies_on_a_placeholder(region: TinyRegion):
    region.land([patient(deceasedDateTime="9999-12-31")])
    assert region.build().rows["death"] == 0


@pytest.mark.parametrize(
    ("resource", "table", "field", "day"),
    [
        (observation(effectiveDateTime=None, effectiveTiming={"event": [DAY, "2024-03-07"]}), "measurement",
         "measurement_date", DAY),
        (observation(effectiveDateTime=None, effectiveTiming={"repeat": {"boundsPeriod": {"start": DAY}}}),
         "measurement", "measurement_date", DAY),
        (observation(effectiveDateTime=None, effectivePeriod={"end": DAY}), "measurement", "measurement_date", DAY),
        (procedure(performedDateTime=None, performedPeriod={"end": DAY}), "procedure_occurrence", "procedure_date",
         DAY),
        (condition(onsetDateTime=None, onsetPeriod={"end": DAY}), "condition_occurrence", "condition_start_date", DAY),
        (statement(effectiveDateTime=None, effectivePeriod={"end": DAY}), "drug_exposure",
         "drug_exposure_start_date", DAY),
        (administration(effectiveDateTime=None, effectivePeriod={"end": DAY}), "drug_exposure",
         "drug_exposure_start_date", DAY),
        (encounter(period={"end": DAY}), "visit_occurrence", "visit_start_date", DAY),
        (request(authoredOn=None, dispenseRequest={"validityPeriod": {"start": DAY}}), "drug_exposure",
         "drug_exposure_start_date", DAY),
        (about("DeviceUseStatement", "u", status="active", timingTiming={"event": [DAY]}, contained=[
            {"resourceType": "Device", "id": "x", "type": code("1")}], device={"reference": "#x"}), "device_exposure",
         "device_exposure_start_date", DAY),
        (immunization(occurrenceDateTime=None, recorded=DAY), "drug_exposure", "drug_exposure_start_date", DAY),
    ],
)  # fmt: skip
def test_a_known_day_is_better_than_no_row(region: TinyRegion, resource: Resource, table: str, field: str, day: str):
    outcomes(region, resource)
    assert region.ask(f"SELECT {field}::VARCHAR FROM {table}") == [(day,)]


# Drugs by ingredient.


def ingredient(number: str, **more: Any) -> Resource:
    return {"itemCodeableConcept": code(number, RXNORM), **more}


def test_a_medication_without_a_code_is_its_active_ingredients(region: TinyRegion):
    parts = [ingredient("1191"), ingredient("5640"), ingredient("9", isActive=False)]
    landed = {"resourceType": "Medication", "id": "m", "ingredient": parts}
    substance = {"resourceType": "Substance", "id": "b", "code": code("161", RXNORM)}
    inner = {"resourceType": "Medication", "id": "x", "ingredient": [{"itemReference": {"reference": "#b"}}]}
    whole = {"resourceType": "Medication", "id": "y", "code": code("2", RXNORM), "ingredient": parts}
    outcomes(
        region,
        landed,
        statement("a", medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"}),
        request(
            "b", medicationCodeableConcept=None, medicationReference={"reference": "#x"}, contained=[inner, substance]
        ),
        dispense("c", medicationCodeableConcept=None, medicationReference={"reference": "#y"}, contained=[whole]),
        administration("d", medicationCodeableConcept=None, medicationReference={"reference": "Medication/none"}),
    )
    found = region.ask(
        "SELECT drug_source_value, count(DISTINCT drug_exposure_id) FROM drug_exposure GROUP BY 1 ORDER BY 1"
    )
    assert found == [("1191", 1), ("161", 1), ("2", 1), ("5640", 1)]
    assert region.ask("SELECT rows FROM etl_count WHERE outcome = 'no-code'") == [(1,)]
    led = "SELECT count(*) FROM lineage l JOIN drug_exposure d ON l.row_id = d.drug_exposure_id"
    assert region.ask(led) == [(4,)]


# Whose it is.


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"focus": [{"reference": "RelatedPerson/baby"}]}, "about-another"),
        ({"focus": [{"reference": "Patient/baby"}]}, "about-another"),
        ({"focus": [{"display": "fetus"}]}, "about-another"),
        ({"focus": [{"reference": "#f"}], "contained": [{"resourceType": "BodyStructure", "id": "f"}]},
         "about-another"),
        ({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/observation-focusCode"}]}, "about-another"),
        ({"specimen": {"reference": "#s"}, "contained": [
            {"resourceType": "Specimen", "id": "s", "subject": {"reference": "Patient/donor"}}]}, "about-another"),
        ({"specimen": {"reference": "Specimen/donated"}}, "about-another"),
        ({"specimen": {"reference": "Specimen/water"}}, "about-another"),
        ({"bodySite": code("83418008")}, "about-fetus"),
        ({"bodySite": {"text": "Fetal head"}}, "about-fetus"),
        ({"focus": [{"reference": "Patient/p1"}]}, "measurement"),
        ({"focus": [{"reference": "Condition/c"}]}, "measurement"),
        ({"specimen": {"reference": "Specimen/own"}}, "measurement"),
        ({"specimen": {"reference": "Specimen/unknown"}}, "measurement"),
        ({"bodySite": code("368209003")}, "measurement"),
    ],
)  # fmt: skip
def test_what_was_observed_of_another_is_not_the_subjects(region: TinyRegion, more: Resource, reason: str):
    specimens = [
        {"resourceType": "Specimen", "id": number, **({"subject": {"reference": subject}} if subject else {})}
        for number, subject in (("donated", "Patient/donor"), ("own", "Patient/p1"), ("water", "Location/l"))
    ]
    found = outcomes(region, *specimens, observation(**more))
    assert {name: rows for name, rows in found.items() if name != "type-not-mapped"} == {reason: 1}


def test_a_condition_and_a_procedure_of_the_fetus_are_not_the_mothers(region: TinyRegion):
    site = [{"coding": [{"system": "http://snomed.info/sct", "code": "1", "display": "Structure of fetal heart"}]}]
    assert outcomes(region, condition(bodySite=site), procedure(bodySite=site)) == {"about-fetus": 2}


# Eras.


def test_conditions_that_begin_together_are_one_era(tmp_path: Path):
    from tests.unit.mart.vocabulary.test_load import CONCEPT, RELATIONSHIP
    from xinglin.core.permit import OPEN
    from xinglin.core.settings import Settings
    from xinglin.lake import Lake
    from xinglin.mart import check_mart, load_vocabulary

    region, lake = TinyRegion(tmp_path), Lake(tmp_path / "lake", permit=OPEN)
    region.link({("mercy", "p1"): 17})
    (tmp_path / "athena").mkdir()
    (tmp_path / "athena" / "CONCEPT.csv").write_text(CONCEPT)
    (tmp_path / "athena" / "CONCEPT_RELATIONSHIP.csv").write_text(RELATIONSHIP)
    load_vocabulary(lake, tmp_path / "athena", memory_mb=300)
    days = ["2010-01-01", "2010-01-01", "2010-06-01", "2010-06-01", "2010-06-01", "2010-06-20"]
    region.land(
        [
            patient(),
            *(
                condition(f"c{n}", code=code("230690007"), onsetDateTime=day, abatementDateTime=day)
                for n, day in enumerate(days)
            ),
            *(
                statement(f"s{n}", medicationCodeableConcept=code("1191", RXNORM), effectiveDateTime=day)
                for n, day in enumerate(days)
            ),
        ]
    )
    region.build()
    for era, count in (("condition_era", "condition_occurrence_count"), ("drug_era", "drug_exposure_count")):
        found = region.ask(f"SELECT {era}_start_date::VARCHAR, {era}_end_date::VARCHAR, {count} FROM {era} ORDER BY 1")
        assert found == [("2010-01-01", "2010-01-01", 2), ("2010-06-01", "2010-06-20", 4)]
        assert region.ask(f"SELECT count(*) - count(DISTINCT {era}_id) FROM {era}") == [(0,)]
    assert check_mart(lake, Settings(home=tmp_path, threads=1)).blocking == ()
