"""Whoever is left out is in no row, whichever table it is, and nobody else is missed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.contracts.mart import TABLES
from xinglin.lake.without import needed, select_without


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Persons 1 to 5 with a visit each (11 to 15), its cost (21 to 25) and the lineage of both."""
    folder = tmp_path_factory.mktemp("mart")
    selects = {
        "person": "SELECT n AS person_id FROM range(1, 6) t(n)",
        "visit_occurrence": "SELECT n + 10 AS visit_occurrence_id, n AS person_id FROM range(1, 6) t(n)",
        "cost": "SELECT n + 20 AS cost_id, n + 10 AS cost_event_id FROM range(1, 6) t(n)",
        "lineage": "SELECT 'person' AS table_name, n AS row_id, n AS owner FROM range(1, 6) t(n)"
        " UNION ALL SELECT 'visit_occurrence', n + 10, n FROM range(1, 6) t(n)"
        " UNION ALL SELECT 'care_site', n, 0 FROM range(1, 6) t(n)",
        "care_site": "SELECT n AS care_site_id FROM range(1, 6) t(n)",
    }
    for name, select in selects.items():
        duckdb.sql(f"COPY ({select}) TO '{folder / name}.parquet'")
    return {name: [str(Path(folder, f"{name}.parquet"))] for name in selects}


@given(st.sets(st.integers(1, 6), max_size=5))
def test_left_out_is_left_out_everywhere(paths: dict[str, list[str]], persons: set[int]) -> None:
    def rows(name: str, column: str) -> list[int]:
        select = select_without(TABLES[name], paths, TABLES, persons)
        return sorted(row[0] for row in duckdb.sql(f"SELECT {column} FROM ({select})").fetchall())

    kept = sorted(set(range(1, 6)) - persons)
    assert rows("person", "person_id") == kept
    assert rows("visit_occurrence", "visit_occurrence_id - 10") == kept
    assert rows("cost", "cost_event_id - 10") == kept
    assert rows("lineage", "owner") == sorted([0] * 5 + kept + kept)
    assert rows("care_site", "care_site_id") == [1, 2, 3, 4, 5]


def test_every_table_of_persons_is_covered() -> None:
    """A new table with rows of persons must name the person, or the row of one that does."""
    from xinglin.lake.without import ROW_OF

    covered = {*needed(["lineage"], TABLES), *ROW_OF}
    assert {name for name, table in TABLES.items() if table.bucketed} <= covered
