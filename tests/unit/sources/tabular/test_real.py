from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sources.tabular.conftest import Clinic
from tests.unit.sources.tabular.test_examples import mapping
from xinglin.sources.tabular import read_mapping

pytestmark = pytest.mark.real
RealData = Callable[[str], Path]


def test_synthea_arrives_to_the_row(clinic: Clinic, real_data: RealData, tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("patients", "encounters", "conditions", "medications", "observations", "procedures"):
        shutil.copy(real_data("synthea-csv-dbt") / "synthea" / f"{name}.csv.gz", inbox)
    report = clinic.land(inbox, read_mapping(Path(__file__).with_name("synthea.yaml")))
    assert (report.landed, report.duplicate, report.quarantined) == (2971, 0, 0)
    found = clinic.resources()
    assert Counter(one["resourceType"] for one in found) == {
        "Patient": 27,
        "Encounter": 604,
        "Condition": 438,
        "MedicationRequest": 663,
        "Observation": 990,
        "Procedure": 249,
    }
    assert clinic.land(inbox, read_mapping(Path(__file__).with_name("synthea.yaml"))).duplicate == 2971
    patients = {f"Patient/{one['id']}" for one in found if one["resourceType"] == "Patient"}
    assert {one["subject"]["reference"] for one in found if "subject" in one} == patients


def test_the_malformed_rows_of_the_glucose_diaries_are_set_aside(clinic: Clinic, real_data: RealData, tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for path in real_data("glucose-uci-aim94").glob("data-*"):
        shutil.copy(path, inbox)
    report = clinic.land(inbox, mapping("glucose-diary"))
    # One Patient for each of the 45 files beside the 18,433 rows.
    assert (report.received, report.landed, report.quarantined) == (18_433 + 45, 18_433 + 45 - 76, 76)
    assert Counter((reason, detail.rpartition(" in column ")[2]) for _, reason, detail in clinic.quarantine()) == {
        ("invalid-date", "date and time"): 35,  # 33 without a date, 2 of which the minutes lack a digit
        ("missing-value", "value"): 33,
        ("not-a-number", "value"): 8,  # 0Hi, 0Lo and 0''
    }


STROKE = """
tables:
  stroke:
    file: healthcare*.csv
    columns: {bmi: {null: ["N/A"]}, smoking_status: {null: [Unknown]}}
    resources:
      - type: Observation
        id: "{id}-bmi"
        when: {present: bmi}
        elements:
          status: final
          code: {coding: [{system: "http://loinc.org", code: 39156-5}]}
          subject: {$reference: Patient, id: "{id}"}
          valueQuantity: {$quantity: bmi, unit: kg/m2, code: kg/m2}
      - type: Patient
        id: "{id}"
        elements:
          identifier: [{system: urn:xinglin:patient-number, value: "{id}"}]
          gender: {$code: gender, map: {Male: male, Female: female, Other: other}}
"""


def test_a_word_is_missing_only_where_the_mapping_says_so(clinic: Clinic, real_data: RealData, tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    path = real_data("tables-stroke-heart") / "healthcare-dataset-stroke-data.dev.csv"
    shutil.copy(path, inbox)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    missing = sum(row["bmi"] == "N/A" for row in rows)
    assert (len(rows), missing) == (3573, 143)
    report = clinic.land(inbox, STROKE)
    assert (report.landed, report.quarantined) == (3573 + 3573 - missing, 0)
    again = clinic.land(inbox, STROKE.replace('bmi: {null: ["N/A"]}, ', ""))
    assert again.quarantined == missing
    assert set(clinic.reasons()) == {"not-a-number"}


HEART = """
tables:
  heart:
    file: heart_disease_uci.csv
    columns: {chol: {null: ["0"]}, trestbps: {null: ["0"]}}
    unmatched: skip
    resources:
      - type: Observation
        for_each: [{column: chol, unit: mg/dL}, {column: trestbps, unit: "mm[Hg]"}]
        id: "{dataset}-{id}-{@column}"
        when: {present: "{@column}"}
        elements:
          status: final
          code: {text: "{@column}"}
          subject: {$reference: Patient, id: "{dataset}-{id}"}
          valueQuantity: {$quantity: "{@column}", unit: "{@unit}", code: "{@unit}"}
"""


def test_missing_coded_as_zero_is_missing(clinic: Clinic, real_data: RealData, tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    path = real_data("tables-stroke-heart") / "heart_disease_uci.csv"
    shutil.copy(path, inbox)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    known = Counter(row["dataset"] for row in rows if row["chol"] not in ("", "0"))
    assert sum(row["dataset"] == "Switzerland" for row in rows) == 123 and "Switzerland" not in known
    clinic.land(inbox, HEART)
    found = [one for one in clinic.resources() if one["code"]["text"] == "chol"]
    assert len(found) == sum(known.values())
    assert min(one["valueQuantity"]["value"] for one in found) > 0
    assert not clinic.quarantine()
