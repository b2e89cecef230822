from __future__ import annotations

import csv
import io
import json

import pytest

from ..opened import opened

pytestmark = pytest.mark.e2e


def test_a_question_is_answered_in_every_format(built, tmp_path):
    import pyarrow.parquet as parquet

    question = "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY ALL ORDER BY ALL"
    rows = json.loads(built("sql", question, "--format", "json"))
    assert {row["gender_concept_id"] for row in rows} <= {8507, 8532, 0}
    listed = list(csv.DictReader(io.StringIO(built("sql", question, "--format", "csv"))))
    assert [{name: int(value) for name, value in row.items()} for row in listed] == rows
    built("sql", question, "--format", "parquet", "--out", tmp_path / "a.parquet")
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == rows
    assert "gender_concept_id" in built("sql", question)


def test_every_contract_table_can_be_asked_even_when_empty(built):
    from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES

    names = {row["name"] for row in json.loads(built("sql", "SHOW TABLES", "--format", "json"))}
    assert names == set(TABLES) | set(VOCABULARY_TABLES)
    assert json.loads(built("sql", "SELECT * FROM concept_ancestor", "--format", "json")) == []


@pytest.mark.parametrize(
    "question",
    [
        "INSERT INTO person SELECT * FROM person",
        "CREATE TABLE mine AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.db'",
        "SET enable_external_access = true",
        "SELECT 1; SELECT 2",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "",
    ],
)
def test_only_one_reading_statement_is_answered(built, question):
    assert "only one SELECT" in built("sql", question, code=2)


@pytest.mark.parametrize(
    "source",
    [
        "read_csv('/etc/passwd')",
        "read_text('/etc/passwd')",
        "glob('/**')",
        "read_parquet('{home}/lake/identity/patient/*.parquet')",
        "read_parquet('{home}/landing/*/batch-000001/Patient-00000.parquet')",
        "'{home}/xinglin.toml'",
        "patient",
        "person_link",
    ],
)
def test_the_identified_zone_and_the_disk_are_out_of_reach(built, source):
    said = built("sql", f"SELECT * FROM {source.format(home=built.home)}", code=2)
    assert "xinglin:" in said


def test_no_name_address_phone_or_local_id_is_anywhere_in_the_mart(built, region):
    secrets = set()
    for path in sorted(region.glob("*/Patient*.ndjson"))[:4]:
        for line in path.read_text(encoding="utf-8").splitlines()[:30]:
            patient = json.loads(line)
            secrets.add(patient["id"])
            secrets |= {name["family"] for name in patient.get("name", []) if len(name.get("family", "")) > 3}
            secrets |= {phone["value"] for phone in patient.get("telecom", [])}
            secrets |= {one["value"] for one in patient.get("identifier", [])}
            secrets |= {line for one in patient.get("address", []) for line in one.get("line", [])}
    assert len(secrets) > 50
    from xinglin.contracts.mart import TABLES
    from xinglin.flows.questions.sql import ask

    stores = opened(built.home)
    for table in TABLES:
        cells = {str(cell) for row in ask(stores, f"SELECT * FROM {table}").rows() for cell in row}
        assert not secrets & cells, f"{table} holds {len(secrets & cells)} identifying values"


def test_a_mistake_in_sql_says_where(built):
    said = built("sql", "SELECT nothing FROM person", code=2)
    assert "nothing" in said
    assert "SHOW TABLES" in said
