"""However the work is cut, the checks find what they find in the mart as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.mart.handmade import Rows, examiner, fill, sound, vocabulary
from tests.unit.mart.test_check import BROKEN, EVERY
from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.lake import Lake, connect, write_parquet
from xinglin.mart.check import check_mart
from xinglin.mart.checks import sharing
from xinglin.mart.checks.rule import CheckResult

NOW = fixed_clock(datetime(2026, 1, 1, tzinfo=UTC))


def in_buckets(folder: Path, rows: Rows, concepts: Rows) -> Lake:
    """The rows as a mart of one bucket a person, and the vocabulary."""
    lake = Lake(folder / "lake", permit=OPEN)
    for stage, tables, of_stage in (("mart", TABLES, rows), ("vocabulary", VOCABULARY_TABLES, concepts)):
        with lake.scratch(stage) as scratch, connect(200, 1) as connection:
            files = {}
            for name, table in tables.items():
                columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
                files[table] = []
                for bucket in (1, 2) if table.bucketed else (None,):
                    connection.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
                    mine = [row for row in of_stage.get(name, []) if bucket is None or _bucket(row) == bucket]
                    fill(connection, name, table, mine)
                    if mine:
                        path = scratch / f"{name}-{bucket}.parquet"
                        write_parquet(connection, f"FROM {name}", path)
                        files[table].append(lake.adopt(table, path, bucket))
            lake.publish(stage, files, {})
    return lake


def _bucket(row: dict[str, object]) -> int:
    person = row.get("person_id")
    return person if isinstance(person, int) and person in (1, 2) else 1


def astray(rows: Rows) -> None:
    """Rows that point at another person's rows, and at nobody's."""
    rows["measurement"].append({**rows["measurement"][0], "measurement_id": 990, "person_id": 2})
    rows["observation"].append({**rows["observation"][0], "observation_id": 991, "person_id": 2})
    rows["visit_occurrence"][1]["preceding_visit_occurrence_id"] = 11
    rows["condition_occurrence"].append(
        {**rows["condition_occurrence"][0], "condition_occurrence_id": 992, "visit_occurrence_id": 12345}
    )


CHANGES = [lambda rows: None, astray, BROKEN[0][0]]


@pytest.mark.parametrize("change", CHANGES)
def test_in_parts_of_one_bucket_the_same_is_found_as_in_the_whole(
    tmp_path: Path, change: Callable[[Rows], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sound()
    change(rows)
    whole = examiner(rows, vocabulary())
    expected = [whole.with_rows(result) for result in whole.run(EVERY)]
    monkeypatch.setattr(sharing, "PART_ROWS", 1)

    report = check_mart(in_buckets(tmp_path, rows, vocabulary()), Settings(home=tmp_path, threads=2), clock=NOW)

    assert [_of(result) for result in report.results] == [_of(result) for result in expected]


def test_each_part_and_each_kind_of_rule_is_a_task_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = in_buckets(tmp_path, sound(), vocabulary())
    mart, known = lake.require("mart", ""), lake.snapshot("vocabulary")

    together = sharing.check_tasks(lake, mart, known, EVERY, 200)
    monkeypatch.setattr(sharing, "PART_ROWS", 1)
    apart = sharing.check_tasks(lake, mart, known, EVERY, 200)

    assert len(apart) > len(together) > 1
    assert {file.bucket for file in apart[0].tables["measurement"]} <= {1}
    assert apart[0].elsewhere and not together[0].elsewhere
    for tasks, times in ((together, 1), (apart, 2)):
        assert sum(len(task.rules) for task in tasks) == len(EVERY) + (times - 1) * len(tasks[0].rules)


def _of(result: CheckResult) -> tuple[object, ...]:
    return result.name, result.status, result.rows_checked, result.rows_failed, result.row_ids, result.detail
