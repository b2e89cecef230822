"""The examination centre's tables and its mapping suit PostgreSQL as they suit SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.opened import opened
from tests.unit.sources.tabular import postgres
from xinglin.admission.stores import Stores
from xinglin.flows.stages.pull import ingest_database
from xinglin.flows.stages.sites import ensure_site
from xinglin.synthetic import RegionPlan, generate, institutional
from xinglin.synthetic.writers.database import create_statements
from xinglin.synthetic.writers.rows import COLUMNS

SITE = "north-exam-centre"


def copied(folder: Path, url: str) -> None:
    """Make the tables on a server and fill them from the file."""
    import pg8000.dbapi

    port = int(url.rsplit(":", 1)[1].split("/")[0])
    login: dict[str, Any] = {"host": "127.0.0.1", "port": port, "database": "postgres", "password": postgres.PASSWORD}
    with (
        closing(sqlite3.connect(folder / "health_check.db")) as database,
        closing(pg8000.dbapi.connect("reader", **login)) as server,
    ):
        cursor = server.cursor()
        for statement in create_statements():
            cursor.execute(statement)
        for table, columns in COLUMNS.items():
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", database.execute(f"SELECT * FROM {table}"))
        server.commit()


def landed(stores: Stores, url: str, mapping: str) -> dict[str, Any]:
    """What is landed of a database: resources by type and id."""
    import pyarrow.parquet as parquet

    ensure_site(stores.landing, SITE, "exam-centre")
    report = ingest_database(stores, url, SITE, mapping)
    assert report.quarantined == 0 and report.landed == report.received > 100
    found = {}
    for path in stores.settings.home.glob(f"landing/{SITE}/**/*.parquet"):
        table = parquet.read_table(path)
        if "resource" in table.column_names:
            for text in table.column("resource").to_pylist():
                one = json.loads(text)
                found[f"{one['resourceType']}/{one['id']}"] = one
    return found


@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not() or "a server can be started")
def test_postgresql_gives_what_sqlite_gives(tmp_path: Path) -> None:

    out = tmp_path / "region"
    generate(RegionPlan(persons=60, seed=3, workers=1, formats=institutional(4)), out)
    mapping = (out / "mappings" / f"{SITE}.yaml").read_text("utf-8")
    with postgres.server() as url:
        copied(out / SITE, url)
        ours = landed(opened(tmp_path / "postgresql", create=True), url, mapping)
    theirs = landed(opened(tmp_path / "sqlite", create=True), f"sqlite:///{out / SITE / 'health_check.db'}", mapping)
    assert ours == theirs
