"""BI tools ask the mart by HiveServer2's protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xinglin.admission import Stores
from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.flows.questions.bi_tables import show_mart
from xinglin.flows.questions.sql import ask
from xinglin.flows.stages.run import build
from xinglin.lake import LocalRunner
from xinglin.mart import Rules, build_mart
from xinglin.wiring import open_door

from ..cluster import free_ports
from ..opened import opened


@pytest.fixture(scope="module")
def stores(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Stores:
    import shutil

    home = tmp_path_factory.mktemp("door") / "home"
    shutil.copytree(built, home)
    return opened(home)


@pytest.fixture(scope="module")
def decided(stores: Stores) -> list[Stores]:
    """The region as it is decided about; the last one counts."""
    return [stores]


@pytest.fixture(scope="module")
def client(java: None, stores: Stores, decided: list[Stores]) -> Iterator[Any]:
    """A cursor of impyla on a door that shows the mart; `shown` holds the versions it has shown."""
    impala = pytest.importorskip("impala.dbapi", reason="the SQL door was not tested: impyla is not installed")
    port = free_ports(1)[0]
    stop = threading.Event()
    shown: list[int] = []
    with open_door(stores.settings, "local[2]", port=port) as door:
        way = (stores, door, lambda: stop.wait(0.2), shown.append, lambda: decided[-1])
        watching = threading.Thread(target=show_mart, args=way)
        watching.start()
        try:
            while not shown and watching.is_alive():
                stop.wait(0.1)
            # The door asks for no password, but the protocol wants one said.
            with impala.connect("127.0.0.1", port, auth_mechanism="PLAIN", user="bi", password="-") as connection:
                cursor = connection.cursor()
                cursor.shown = shown
                yield cursor
        finally:
            stop.set()
            watching.join()


def test_a_hive_client_sees_the_tables_of_the_mart_and_no_others(client: Any):
    client.execute("SHOW TABLES")
    assert {row[1] for row in client.fetchall()} == {*TABLES, *VOCABULARY_TABLES}
    client.execute("DESCRIBE person")
    assert [row[0] for row in client.fetchall()] == list(TABLES["person"].column_names)


@pytest.mark.parametrize(
    "question",
    [
        "SELECT count(*) AS n, min(year_of_birth) AS first FROM person",
        "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY gender_concept_id ORDER BY 1",
        "SELECT measurement_source_value AS code, count(*) AS n, round(avg(value_as_number), 6) AS mean "
        "FROM measurement GROUP BY measurement_source_value ORDER BY n DESC, code LIMIT 5",
        "SELECT count(*) AS n FROM visit_occurrence v JOIN person p ON p.person_id = v.person_id",
        "SELECT CAST(min(visit_start_datetime) AS string) AS t FROM visit_occurrence",
        "SELECT count(*) AS n FROM concept",
    ],
)
def test_an_answer_is_the_one_that_xinglin_sql_gives(client: Any, stores: Stores, question: str):
    client.execute(question)
    assert client.fetchall() == list(ask(stores, question).rows())


def test_a_table_is_not_read_by_the_path_of_a_file(client: Any, stores: Stores):
    path = next((stores.settings.landing).rglob("Patient-*.parquet"))
    with pytest.raises(Exception, match=r"(?i)unsupported|not found|cannot"):
        client.execute(f"SELECT * FROM parquet.`{path}`")


def test_whom_a_decision_leaves_out_is_in_no_table(client: Any, stores: Stores, decided: list[Stores]):
    person = next(ask(stores, "SELECT person_id FROM condition_occurrence ORDER BY 1 LIMIT 1").rows())[0]
    permit = replace(stores.lake.permit, without=frozenset({person}))
    decided.append(replace(stores, lake=replace(stores.lake, permit=permit)))
    try:
        _wait_for(client, len(client.shown) + 1)
        for table in ("person", "condition_occurrence", "lineage", "cost", "care_site"):
            question = f"SELECT count(*) FROM {table}"
            client.execute(question)
            assert client.fetchall() == list(ask(decided[-1], question).rows())
        client.execute(f"SELECT count(*) FROM person WHERE person_id = {person}")
        assert client.fetchall() == [(0,)]
    finally:
        decided.pop()
        _wait_for(client, len(client.shown) + 1)


def _wait_for(client: Any, shown: int) -> None:
    for _ in range(300):
        if len(client.shown) >= shown:
            return
        threading.Event().wait(0.1)
    raise AssertionError("the door did not show the mart anew")


def test_a_new_mart_is_shown_while_clients_are_connected(client: Any, stores: Stores):
    before = list(client.shown)
    build(stores, full=True, runner=LocalRunner(2))
    assert client.shown == before, "the same bytes are the same version"
    build_mart(stores.lake, stores.landing, stores.settings, rules=Rules(request_statuses=()))
    for _ in range(300):
        if client.shown != before:
            break
        threading.Event().wait(0.1)
    assert len(client.shown) == len(before) + 1
    client.execute("SELECT count(*) FROM drug_exposure")
    assert client.fetchall() == list(ask(stores, "SELECT count(*) FROM drug_exposure").rows())
