"""An examination centre's database: whole, typed, and the same bytes for the same plan."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from xinglin.synthetic.writers.database import create_statements
from xinglin.synthetic.writers.rows import COLUMNS

from .conftest import region_in


def ask(folder: Path, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "health_check.db")) as database:
        return database.execute(question).fetchall()


@pytest.mark.parametrize(
    ("table", "resource_type"),
    [("patient", "Patient"), ("visit", "Encounter"), ("diagnosis", "Condition"), ("bill", "Claim"),
     ("prescription", "MedicationRequest"), ("treatment", "Procedure"), ("device", "Device"),
     ("staff", "Practitioner")],
)  # fmt: skip
def test_as_many_rows_as_resources(as_database: Path, as_fhir: Path, table: str, resource_type: str) -> None:
    lines = (as_fhir / f"{resource_type}.0000.ndjson").read_bytes().splitlines()
    assert ask(as_database, f"SELECT count(*) FROM {table}") == [(len(lines),)]


def test_only_the_database_is_left(as_database: Path) -> None:
    assert [path.name for path in as_database.iterdir()] == ["health_check.db"]
    assert ask(as_database, "PRAGMA integrity_check") == [("ok",)]


def test_the_same_plan_gives_the_same_bytes(as_database: Path, tmp_path: Path) -> None:
    again = region_in("database", tmp_path / "again")
    assert (again / "health_check.db").read_bytes() == (as_database / "health_check.db").read_bytes()


def test_every_row_of_a_patient_says_when_it_changed(as_database: Path) -> None:
    for table, columns in COLUMNS.items():
        if "updated" in columns:
            wrong = "updated_at NOT GLOB '[12][09][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:00'"
            assert ask(as_database, f"SELECT count(*) FROM {table} WHERE updated_at IS NULL OR {wrong}") == [(0,)]


def test_rows_lead_to_each_other(as_database: Path) -> None:
    for table, columns in COLUMNS.items():
        for column, target in (("patient", "patient"), ("visit", "visit"), ("diagnosis", "diagnosis")):
            if column in columns and table != target:
                lost = f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM {target})"
                assert ask(as_database, lost) == [(0,)]


def test_no_column_is_a_word_of_sql() -> None:
    reserved = {"start", "end", "at", "text", "value", "role", "until", "made", "order", "user", "name_"}
    names = {line.split()[0] for one in create_statements() for line in one.splitlines()[1:-1]}
    assert not names & reserved
