from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sources.tabular import postgres
from tests.unit.sources.tabular.conftest import NOON, Clinic
from xinglin.admission.stores import Stores
from xinglin.core.errors import BadInput, NotFound, StorageError, UsageError, XinglinError
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.flows.stages.pull import ingest_database, watermarks
from xinglin.lake import Lake

MAPPING = """
time_zone: Asia/Shanghai
tables:
  exams:
    table: exams
    key: id
    watermark: changed
    resources:
      - type: Observation
        id: "{id}"
        elements:
          status: final
          code: {text: "{test}"}
          subject: {$reference: Patient, id: "{person}"}
          effectiveDateTime: {$date: taken}
          valueQuantity: {$quantity: value, unit: "{Unit of it}"}
  people:
    query: SELECT id, name FROM people WHERE name <> 'a:b%c';
    resources:
      - type: Patient
        id: "{id}"
        elements: {name: [{text: "{name}"}]}
"""
TABLES = (
    'CREATE TABLE exams (id INTEGER PRIMARY KEY, person TEXT, test TEXT, value NUMERIC(8,2), "Unit of it" TEXT, '
    "taken TIMESTAMP, changed TIMESTAMP, secret TEXT)",
    "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT)",
)


def exam(number: int, value: str, changed: str) -> str:
    return (
        f"INSERT INTO exams VALUES ({number}, 'p1', '血糖', {value}, 'mmol/L', '2024-05-0{number} 08:00:00', "
        f"'{changed}', 'not for the region')"
    )


def two_pulls(clinic: Clinic, tmp_path: Path, url: str, do: Callable[..., None]) -> None:
    """The same story on every database: a full pull, then only what is new, then nothing new."""
    settings = Settings(home=tmp_path / "home")
    stores = Stores(settings, clinic.landing, Lake(tmp_path / "lake", permit=OPEN), NOON)
    do(*TABLES, "INSERT INTO people VALUES ('p1', '张三'), ('p2', 'a:b%c')")
    do(exam(1, "5.10", "2024-05-01 09:00:00"), exam(2, "6.25", "2024-05-02 09:00:00"))
    first = ingest_database(stores, url, "clinic", MAPPING)
    assert (first.received, first.landed) == (3, 3)
    mark = watermarks(clinic.landing, "clinic")["exams"].replace("T", " ")
    assert mark.partition(" ")[2] == "2024-05-02 09:00:00"

    do("UPDATE exams SET value = 7.00, changed = '2024-05-03 09:00:00' WHERE id = 1")
    do(exam(3, "4.40", "2024-05-03 09:30:00"))
    second = ingest_database(stores, url, "clinic", MAPPING)
    # The row with the last watermark comes twice, the table without one as a whole.
    assert (second.received, second.landed, second.duplicate) == (4, 2, 2)
    found = {one["id"]: one for one in clinic.resources("Observation")}
    assert sorted(found) == ["1", "2", "3"]
    assert found["1"]["valueQuantity"] == {"value": 7.0, "unit": "mmol/L"}
    assert found["1"]["effectiveDateTime"] == "2024-05-01T08:00:00+08:00"

    third = ingest_database(stores, url, "clinic", MAPPING)
    assert (third.received, third.landed, third.duplicate) == (2, 0, 2)
    assert [len(one["name"]) for one in clinic.resources("Patient")] == [1]


def test_a_sqlite_database_is_pulled_by_its_watermark(clinic: Clinic, tmp_path: Path):
    path = tmp_path / "exam.db"

    def do(*statements: str) -> None:
        with sqlite3.connect(path) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    two_pulls(clinic, tmp_path, f"sqlite:///{path}", do)
    assert not list((tmp_path / "home" / "landing" / "clinic").glob(".pull-*"))
    kept = [one for one in clinic.sources() if "original" in one]
    assert {one["name"] for one in kept} == {"exams.pulled.parquet", "people.pulled.parquet"}


def test_a_new_mapping_pulls_everything_again(clinic: Clinic, tmp_path: Path):
    path = tmp_path / "exam.db"
    with sqlite3.connect(path) as database:
        for statement in (*TABLES, exam(1, "5.10", "2024-05-01 09:00:00")):
            database.execute(statement)
    stores = Stores(Settings(home=tmp_path / "home"), clinic.landing, Lake(tmp_path / "lake", permit=OPEN), NOON)
    ingest_database(stores, f"sqlite:///{path}", "clinic", MAPPING)
    changed = MAPPING.replace("status: final", "status: amended")
    assert watermarks(clinic.landing, "clinic", changed) == {}
    assert ingest_database(stores, f"sqlite:///{path}", "clinic", changed).landed == 1


@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not() or "a server can be started")
def test_a_postgresql_database_is_pulled_by_its_watermark(clinic: Clinic, tmp_path: Path):
    import pg8000.dbapi

    with postgres.server() as url:
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        opened = pg8000.dbapi.connect(
            "reader", host="127.0.0.1", port=port, database="postgres", password=postgres.PASSWORD
        )

        def do(*statements: str) -> None:
            for statement in statements:
                opened.cursor().execute(statement)
            opened.commit()

        two_pulls(clinic, tmp_path, url, do)
        # 7.00 is a NUMERIC: its digits stay.
        assert any('"value":7.00,' in text for text in clinic.texts())
        opened.close()
        for broken, error in (
            (url.replace(postgres.PASSWORD, "wrong-s3cret"), XinglinError),
            (url.replace(str(port), "1"), StorageError),
        ):
            lake = Lake(tmp_path / "lake", permit=OPEN)
            stores = Stores(Settings(home=tmp_path / "home"), clinic.landing, lake, NOON)
            with pytest.raises(error) as said:
                ingest_database(stores, broken, "clinic", MAPPING)
            assert "s3cret" not in f"{said.value!r} {said.value} {said.value.__cause__}"
        with pytest.raises(BadInput, match="no such table"):
            ingest_database(stores, url, "clinic", MAPPING.replace("table: exams", "table: nowhere"))
    manifests = b"".join(batch.manifest_bytes for batch in clinic.landing.batches("clinic"))
    assert postgres.PASSWORD.encode() not in manifests
    for file in (tmp_path / "home").rglob("*"):
        assert file.is_dir() or postgres.PASSWORD.encode() not in file.read_bytes()


def test_only_the_columns_that_the_mapping_reads_leave_the_database(clinic: Clinic, tmp_path: Path):
    import pyarrow.parquet as pq

    from xinglin.sources.tabular import pull

    path = tmp_path / "exam.db"
    with sqlite3.connect(path) as database:
        for statement in (*TABLES, exam(1, "5.10", "2024-05-01 09:00:00")):
            database.execute(statement)
    pulled = pull(f"sqlite:///{path}", MAPPING, {}, tmp_path)
    assert [(one.table, one.rows, one.watermark) for one in pulled] == [
        ("exams", 1, "str 2024-05-01 09:00:00"),
        ("people", 0, None),
    ]
    assert "secret" not in pq.read_table(pulled[0].path).column_names


def test_errors_of_databases_say_what_to_do_and_never_the_password(tmp_path: Path):
    from xinglin.sources.tabular import pull

    for url, error in (
        ("sqlite:////nowhere/at/all.db", NotFound),
        ("not a url", UsageError),
        ("nosuchdb://u:s3cret@host/db", UsageError),
        ("postgresql://u:s3cret@127.0.0.1:1/db", StorageError),
    ):
        with pytest.raises(error) as said:
            pull(url, MAPPING, {}, tmp_path)
        assert "s3cret" not in str(said.value)
    path = tmp_path / "empty.db"
    sqlite3.connect(path).close()
    path.write_bytes(b"")
    with pytest.raises(BadInput, match="no such table"):
        pull(f"sqlite:///{path}", MAPPING, {}, tmp_path)


def test_a_watermark_is_bound_not_written_into_the_query(tmp_path: Path):
    from xinglin.sources.tabular import pull

    path = tmp_path / "exam.db"
    with sqlite3.connect(path) as database:
        for statement in (*TABLES, exam(1, "5.10", "2024-05-01 09:00:00")):
            database.execute(statement)
    started = time.monotonic()
    pulled = pull(f"sqlite:///{path}", MAPPING, {"exams": "str '; DROP TABLE exams; --"}, tmp_path)
    assert pulled[0].rows == 1 and time.monotonic() - started < 30
