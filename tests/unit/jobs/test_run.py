from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from xinglin.contracts.mart import TABLES
from xinglin.core.errors import Conflict, JobFailed, NotFound, UsageError
from xinglin.core.files import exclusive
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.jobs import Job, JobReport, run_job
from xinglin.lake import Lake, LocalRunner, connect, write_parquet

BUCKETS = 3
COUNT = "def map(tables, params):\n    return 'SELECT count(*) AS n FROM note'\n"
SUM = "def combine(partials, params):\n    return 'SELECT sum(n)::BIGINT AS n FROM partials'\n"


@dataclass
class Bench:
    """A mart of notes, and jobs over it."""

    lake: Lake
    settings: Settings

    def publish(self, texts: dict[int, list[str]]) -> None:
        table = TABLES["note"]
        files = []
        with self.lake.scratch("mart") as scratch, connect(200, 1) as connection:
            for bucket, some in texts.items():
                values = ", ".join(f"({bucket * 100 + number}, '{text}')" for number, text in enumerate(some))
                columns = ", ".join(
                    {"note_id": "id", "note_text": "text"}.get(column.name, "NULL") + f"::{column.type} {column.name}"
                    for column in table.columns
                )
                path = scratch / f"{bucket}.parquet"
                write_parquet(connection, f"SELECT {columns} FROM (VALUES {values}) AS v(id, text)", path)
                files.append(self.lake.adopt(table, path, bucket))
        self.lake.publish("mart", {table: files, TABLES["person"]: []}, {})

    def run(self, source: str, runner: Any = None, **told: str) -> JobReport:
        job = Job("my_job.py", source)
        job.check()
        return run_job(self.lake, self.settings, job, job.parameters(told), runner or LocalRunner(2))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(Lake(tmp_path / "lake", permit=OPEN), Settings(home=tmp_path, buckets=BUCKETS, memory_mb=200))
    made.publish({0: ["one", "two"], 2: ["three"]})
    return made


def test_every_bucket_is_mapped_and_the_partial_results_are_combined(bench: Bench):
    report = bench.run(COUNT + SUM)
    assert report.result.to_pylist() == [{"n": 3}]
    assert (report.buckets, report.mapped) == (BUCKETS, BUCKETS)


@pytest.mark.parametrize(
    "given",
    [
        "tables.sql('SELECT $n::BIGINT AS n', n=1)",
        "[{'n': 1}]",
        "{'n': 1}",
        "__import__('pyarrow').table({'n': [1]})",
        "__import__('pyarrow').RecordBatch.from_pylist([{'n': 1}])",
    ],
)
def test_a_map_gives_sql_arrow_or_rows(bench: Bench, given: str):
    assert bench.run(f"def map(tables, params):\n    return {given}\n{SUM}").result.to_pylist() == [{"n": BUCKETS}]


def test_a_table_comes_as_arrow(bench: Bench):
    source = "def map(tables, params):\n    return [{'n': tables.arrow('note').num_rows}]\n"
    assert bench.run(source + SUM).result.to_pylist() == [{"n": 3}]


def test_a_parameter_reaches_map_and_combine_and_has_the_type_of_its_default(bench: Bench):
    source = (
        "PARAMS = {'times': 1, 'plus': 0.5}\n"
        "def map(tables, params):\n    return [{'n': params['times'] + 0}]\n"
        "def combine(partials, params):\n"
        "    return partials.sql('SELECT sum(n) + $plus AS n FROM partials', plus=params['plus'])\n"
    )
    assert bench.run(source, times="4").result.to_pylist() == [{"n": 12.5}]


@pytest.mark.parametrize(
    ("told", "words"),
    [({"tims": "1"}, "no parameter tims"), ({"times": "many"}, "of type int"), ({"on": "perhaps"}, "of type bool")],
)
def test_a_wrong_parameter_is_named(told: dict[str, str], words: str):
    with pytest.raises(UsageError, match=words):
        Job("j.py", "PARAMS = {'times': 1, 'on': True}").parameters(told)


def test_finished_buckets_are_kept_and_only_the_rest_is_done_after_a_failure(bench: Bench, tmp_path: Path):
    marker = tmp_path / "repaired"
    source = (
        "import pathlib\n"
        "def map(tables, params):\n"
        f"    if tables.bucket == 2 and not pathlib.Path({str(marker)!r}).exists():\n        raise OSError('gone')\n"
        "    return [{'n': 1}]\n"
    )
    with pytest.raises(JobFailed):
        bench.run(source + SUM, LocalRunner(1))
    marker.touch()
    assert bench.run(source + SUM).mapped == 1
    assert bench.run(source + SUM).mapped == 0


def test_new_data_maps_only_the_buckets_that_changed(bench: Bench):
    bench.run("TABLES = ['note']\n" + COUNT + SUM)
    bench.publish({0: ["one", "two"], 1: ["four"], 2: ["three"]})
    report = bench.run("TABLES = ['note']\n" + COUNT + SUM)
    assert (report.mapped, report.result.to_pylist()) == (1, [{"n": 4}])


def test_another_script_or_parameter_uses_nothing_of_the_earlier_one(bench: Bench):
    bench.run(COUNT + SUM)
    assert bench.run("# changed\n" + COUNT + SUM).mapped == BUCKETS
    source = "PARAMS = {'x': 1}\n" + COUNT + SUM
    bench.run(source)
    assert bench.run(source, x="2").mapped == BUCKETS


def test_what_is_no_longer_needed_is_deleted(bench: Bench, tmp_path: Path):
    bench.run(COUNT + SUM)
    bench.run("# changed\n" + COUNT + SUM)
    assert len(list((tmp_path / "jobs" / "my_job").glob("*.parquet"))) == BUCKETS


def test_an_error_of_the_script_is_told_with_its_own_lines_only(bench: Bench):
    with pytest.raises(JobFailed) as raised:
        bench.run("def ratio(a):\n    return 1 / a\ndef map(tables, params):\n    return ratio(0)\n" + SUM)
    told = str(raised.value)
    assert "map, bucket 0" in told
    assert 'File "my_job.py", line 2, in ratio' in told
    assert "return 1 / a" in told
    assert "ZeroDivisionError" in told
    assert "src/xinglin" not in told


def test_an_error_in_sql_is_the_scripts(bench: Bench):
    with pytest.raises(JobFailed, match=r"(?s)map, bucket 0.*nothere"):
        bench.run("def map(tables, params):\n    return 'FROM nothere'\n" + SUM)
    with pytest.raises(JobFailed, match=r"(?s)combine.*a set"):
        bench.run(COUNT + "def combine(partials, params):\n    return {1}\n")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def map(:\n", "no Python"),
        (COUNT, "no combine"),
        ("TABLES = ['patient']\n" + COUNT + SUM, "does not hold: patient"),
        ("PARAMS = 3\n" + COUNT + SUM, "PARAMS is a dictionary"),
    ],
)
def test_a_script_that_is_no_job_is_refused_before_anything_runs(bench: Bench, source: str, words: str):
    with pytest.raises(UsageError, match=words):
        bench.run(source)


@pytest.mark.parametrize(
    "way", ["FROM read_parquet($path)", "FROM '{path}'", "COPY note TO '{path}.csv'", "ATTACH '{path}'"]
)
def test_a_script_reaches_no_other_file_through_sql(bench: Bench, tmp_path: Path, way: str):
    parquet.write_table(pa.table({"n": [1]}), tmp_path / "other.parquet")
    path = str(tmp_path / "other.parquet")
    given = f"tables.sql({way.format(path=path)!r}" + (f", path={path!r})" if "$" in way else ")")
    with pytest.raises(JobFailed):
        bench.run(f"def map(tables, params):\n    return {given}\n{SUM}")


def test_without_a_mart_the_error_says_what_to_run(tmp_path: Path):
    empty = Bench(Lake(tmp_path / "lake", permit=OPEN), Settings(home=tmp_path))
    with pytest.raises(NotFound, match="xinglin run"):
        empty.run(COUNT + SUM)


def test_the_same_job_twice_at_once_is_refused(bench: Bench, tmp_path: Path):
    with exclusive(tmp_path / "jobs" / "my_job" / "_lock", doing="a test"), pytest.raises(Conflict):
        bench.run(COUNT + SUM)


def test_progress_counts_kept_buckets_too(bench: Bench):
    heard: list[tuple[int, int]] = []
    job = Job("my_job.py", COUNT + SUM)
    tell: Callable[[int, int], None] = lambda done, total: heard.append((done, total))  # noqa: E731
    run_job(bench.lake, bench.settings, job, {}, LocalRunner(1), tell)
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_a_job_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(NotFound, match="absent"):
        Job.read(tmp_path / "absent.py")
