"""Extracts: what leaves, under which names, moved by how many days, and what does not."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.unit.release.conftest import RARE, Ask, Row
from xinglin.core.errors import UsageError
from xinglin.core.settings import Settings
from xinglin.lake import Lake
from xinglin.release import Salts
from xinglin.release.views import Rules

VISITS = "SELECT person_id, visit_occurrence_id, visit_start_date, visit_end_date, visit_start_datetime, provider_id"
VISITS += " FROM visit_occurrence"


def _numbers(table: pa.Table) -> set[int]:
    return {value for column in table.columns for value in column.to_pylist() if isinstance(value, int)}


def test_no_key_of_the_mart_is_in_an_extract(ask: Ask, rows: dict[str, list[Row]]) -> None:
    keys = {value for table in rows.values() for row in table for name, value in row.items()
            if name.endswith("_id") and not name.endswith("concept_id") and name != "provider_id"}  # fmt: skip

    left = ask(f"SELECT * FROM ({VISITS}) AS v JOIN condition_occurrence USING (visit_occurrence_id)").table

    assert left.num_rows == len(rows["condition_occurrence"])
    assert not keys & _numbers(left)


def test_the_same_project_gets_the_same_pseudonyms_and_another_project_others(ask: Ask) -> None:
    first, again, other = ask(VISITS).table, ask(VISITS).table, ask(VISITS, "diabetes").table

    assert first.equals(again)
    for name in ("person_id", "visit_occurrence_id", "provider_id"):
        assert not set(first[name].to_pylist()) & set(other[name].to_pylist())


def test_tables_can_be_joined_within_a_project(ask: Ask, rows: dict[str, list[Row]]) -> None:
    joined = ask(
        "SELECT v.person_id AS person_id, c.person_id AS other FROM visit_occurrence v"
        " JOIN condition_occurrence c USING (visit_occurrence_id)"
    ).table

    assert joined.num_rows == len(rows["visit_occurrence"])
    assert joined["person_id"].to_pylist() == joined["other"].to_pylist()


def test_dates_are_moved_by_the_same_days_for_a_person_and_by_others_for_another(
    ask: Ask, rows: dict[str, list[Row]]
) -> None:
    left = ask(VISITS).table.to_pylist()
    moved: dict[int, list[Any]] = {}
    for row in left:
        moved.setdefault(row["person_id"], []).append(row)
    true: dict[int, list[Any]] = {}
    for row in rows["visit_occurrence"]:
        true.setdefault(row["person_id"], []).append(row)

    def intervals(visits: list[Any]) -> tuple[Any, ...]:
        first = min(one["visit_start_date"] for one in visits)
        # Visits of one day stand in no order.
        return tuple(
            sorted(
                (one["visit_start_date"] - first, one["visit_end_date"] - first, one["visit_start_datetime"].time())
                for one in visits
            )
        )

    assert sorted(map(intervals, moved.values())) == sorted(map(intervals, true.values()))
    assert {row["visit_start_date"] for row in left} != {row["visit_start_date"] for row in rows["visit_occurrence"]}


def test_of_a_birth_the_year_leaves_and_ages_over_89_are_one_group(ask: Ask) -> None:
    years = set(ask("SELECT person_id, year_of_birth FROM person", most_risk=1.0).table["year_of_birth"].to_pylist())

    assert years == {1936, 1951, 1952, 1960, 1961, 1990}


def test_years_of_birth_become_bands(ask: Ask) -> None:
    banded = ask("SELECT year_of_birth FROM person", rules=Rules(5, 2026, 10), most_risk=1.0).table

    assert {year % 10 for year in banded["year_of_birth"].to_pylist()} == {0}


def test_a_word_that_few_persons_have_does_not_leave(ask: Ask, rows: dict[str, list[Row]]) -> None:
    for question in ("SELECT condition_source_value FROM condition_occurrence", "FROM condition_occurrence"):
        words = ask(question).table["condition_source_value"].to_pylist()

        assert RARE not in words and "I63" in words
        assert words.count(None) == sum(row["condition_source_value"] == RARE for row in rows["condition_occurrence"])


def test_a_person_left_out_by_consent_is_in_no_table(ask: Ask, rows: dict[str, list[Row]]) -> None:
    gone = rows["person"][0]["person_id"]
    rules = Rules(5, 2026, left_out=frozenset({gone}))

    assert ask("SELECT person_id FROM person", rules=rules).table.num_rows == 99
    assert ask(VISITS, rules=rules).table.num_rows == sum(row["person_id"] != gone for row in rows["visit_occurrence"])


def test_a_person_whose_salt_is_destroyed_gets_other_pseudonyms(
    ask: Ask, mart: tuple[Lake, Settings], rows: dict[str, list[Row]]
) -> None:
    before = set(ask(VISITS).table["visit_occurrence_id"].to_pylist())
    gone = rows["person"][7]["person_id"]

    assert Salts(mart[1].keys / "person-salts").destroy([gone]) == 1

    after = set(ask(VISITS).table["visit_occurrence_id"].to_pylist())
    assert len(before - after) == sum(row["person_id"] == gone for row in rows["visit_occurrence"])


@pytest.mark.parametrize(
    "question",
    [
        "SELECT note_text FROM note",
        "SELECT birth_datetime FROM person",
        "SELECT person_source_value FROM person",
        "SELECT value_source_value FROM measurement",
        "SELECT * FROM lineage",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM '/tmp/x.parquet'",
        "FROM xinglin_people",
        "SELECT xinglin_row(10000, 0) AS a FROM person",
        "SELECT max(year_of_birth) FROM person",
        "SELECT list(person_id) FROM person",
        "SELECT string_agg(gender_source_value) FROM person",
        "SELECT n FROM (SELECT count(*) AS n FROM person)",
        "SELECT (SELECT count(*) FROM death) AS n FROM person",
        "SELECT count(*) FROM (SELECT gender_concept_id FROM person) AS p",
        "SELECT sum(CASE WHEN year_of_birth = 1951 THEN 1 END) FROM person",
        "SELECT sum((year_of_birth = 1951)::INT) FROM person",
        "SELECT gender_concept_id, count(*) FROM person GROUP BY ROLLUP (1)",
        "SELECT gender_concept_id, count(*), sum(count(*)) OVER () FROM person GROUP BY 1",
        "SELECT count(*) FROM person UNION ALL SELECT count(*) FROM death",
        "SELECT 1 AS person_id, gender_concept_id FROM person",
        "SELECT gender_concept_id AS person_id, count(*) FROM person GROUP BY person_id",
        "SELECT p FROM person p",
        "SELECT year_of_birth + 0 FROM person",
        "SELECT count(*) FROM cost",
        "SELECT * FROM (SUMMARIZE person)",
        "SHOW TABLES",
        "DELETE FROM person",
        "SELECT 1; SELECT 2",
        "nonsense",
    ],
)
def test_what_cannot_be_made_safe_is_refused(ask: Ask, question: str) -> None:
    with pytest.raises(UsageError):
        ask(question)


def test_an_error_of_the_execution_quotes_no_value(ask: Ask) -> None:
    with pytest.raises(UsageError) as refused:
        ask("SELECT condition_source_value::INTEGER AS x FROM condition_occurrence")

    assert "I63" not in str(refused.value)


def test_cells_of_few_persons_are_suppressed_and_told(ask: Ask, rows: dict[str, list[Row]]) -> None:
    made = ask(
        "SELECT gender_concept_id, count(*) AS n, count(d.death_date) AS dead FROM person p"
        " LEFT JOIN death d USING (person_id) GROUP BY 1 ORDER BY 1"
    )

    assert made.kind == "cells"
    assert sum(made.table["n"].to_pylist()) == len(rows["person"])
    assert made.table["dead"].to_pylist() == [None, None]
    assert made.suppressed == 2 and made.smallest_cell is not None and made.smallest_cell >= 5


def test_a_filtered_count_is_judged_by_the_persons_it_counts(ask: Ask) -> None:
    made = ask("SELECT count(*) AS n, count(*) FILTER (WHERE condition_source_value <> 'I63') AS rare"
               " FROM condition_occurrence")  # fmt: skip
    whole = ask("SELECT count(*) AS n FROM death")

    assert made.table["n"].to_pylist() != [None] and made.table["rare"].to_pylist() == [None]
    assert whole.table.num_rows == 0 and whole.suppressed == 1


def test_many_rows_of_one_person_are_still_a_small_cell(ask: Ask, rows: dict[str, list[Row]]) -> None:
    busy = max(len([v for v in rows["visit_occurrence"] if v["person_id"] == p["person_id"]]) for p in rows["person"])

    made = ask("SELECT n, sum(n) FROM (SELECT person_id, count(*) AS n FROM visit_occurrence GROUP BY person_id) AS v"
               " WHERE n = 4 GROUP BY n", rules=Rules(90, 2026))  # fmt: skip

    assert busy == 4 and made.table.num_rows == 0
