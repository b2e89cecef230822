"""A clinic's CSV: GB18030, Chinese headings and dates, as many rows as there are resources in FHIR."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from xinglin.synthetic.writers.chinese_csv import HEADINGS
from xinglin.synthetic.writers.rows import COLUMNS


def table(folder: Path, stem: str) -> list[dict[str, str]]:
    text = (folder / f"{stem}.0000.csv").read_bytes().decode("gb18030")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(folder: Path, resource_type: str) -> int:
    return len((folder / f"{resource_type}.0000.ndjson").read_bytes().splitlines())


def test_every_column_has_a_heading() -> None:
    assert {name: len(words.split()) for name, words in HEADINGS.items()} == {
        name: len(columns) for name, columns in COLUMNS.items()
    }


@pytest.mark.parametrize(
    ("stem", "resource_type"),
    [("patients", "Patient"), ("visits", "Encounter"), ("diagnoses", "Condition"), ("bills", "Claim"),
     ("prescriptions", "MedicationRequest"), ("treatments", "Procedure"), ("studies", "ImagingStudy"),
     ("notes", "DocumentReference"), ("vaccinations", "Immunization")],
)  # fmt: skip
def test_as_many_rows_as_resources(as_csv: Path, as_fhir: Path, stem: str, resource_type: str) -> None:
    assert len(table(as_csv, stem)) == lines(as_fhir, resource_type)


def test_results_and_pressures_are_the_observations(as_csv: Path, as_fhir: Path) -> None:
    assert len(table(as_csv, "results")) + len(table(as_csv, "pressures")) == lines(as_fhir, "Observation")


def test_rows_end_with_crlf_and_all_have_the_headings_cells(as_csv: Path) -> None:
    for path in as_csv.glob("*.csv"):
        data = path.read_bytes()
        assert data.endswith(b"\r\n") and data.count(b"\n") == data.count(b"\r\n")
        rows = list(csv.reader(io.StringIO(data.decode("gb18030"), newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}


def test_dates_and_words_are_chinese(as_csv: Path) -> None:
    for row in table(as_csv, "patients"):
        assert row["性别"] in ("男", "女", "")
        assert re.fullmatch(r"(\d{4}年\d{1,2}月\d{1,2}日)?", row["出生日期"])
    visits = table(as_csv, "visits")
    assert {row["就诊类型"] for row in visits} == {"门诊", "急诊", "住院"}
    assert all(re.fullmatch(r"\d{4}/\d{1,2}/\d{1,2} \d\d:\d\d", row["开始时间"]) for row in visits)
    assert any(re.search(r"/[1-9] ", row["开始时间"]) for row in visits), "days are written without a zero"
    assert "次/分" in {row["单位"] for row in table(as_csv, "results")}


def test_every_part_has_headings(tmp_path: Path) -> None:
    from xinglin.synthetic import RegionPlan, generate

    plan = RegionPlan(persons=520, institutions=1, seed=2, workers=1, formats=("csv",), part_bytes=60_000)
    generate(plan, tmp_path / "region")
    parts = sorted((tmp_path / "region" / "east-hospital").glob("patients.*.csv"))
    assert len(parts) > 1
    for part in parts:
        assert part.read_bytes().decode("gb18030").startswith("患者编号,病历号,")
