"""What breaks while Spark works: the mart is the undisturbed run's all the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import Cluster, descendants
from tests.conformance.conftest import mart_files
from tests.opened import opened
from xinglin.admission import Stores
from xinglin.core.errors import Conflict, StorageError
from xinglin.core.settings import RunnerSettings, Settings
from xinglin.flows.questions.job import run_script
from xinglin.flows.stages.run import build
from xinglin.lake import LocalRunner
from xinglin.lake.spark import SparkRunner
from xinglin.mart import Rules, build_mart

from . import tasks


def test_a_worker_killed_in_the_middle_of_a_build_leaves_the_same_mart(
    spark: SparkRunner, cluster: Cluster, linked: Path, expected: dict[str, bytes], copied: Callable[[Path], Stores]
):
    stores, killed = copied(linked), []

    def kill(stage: str, done: int, total: int) -> None:
        if done >= total // 3 and not killed:
            killed.append(done)
            cluster.kill("worker-0")

    build(stores, progress=kill, runner=spark)
    cluster.start_worker(0)
    assert killed
    assert mart_files(stores.settings.home) == expected


def test_when_the_leading_master_dies_the_work_goes_on_and_the_other_takes_over(spark: SparkRunner, cluster: Cluster):
    leader = cluster.wait("I have been elected leader", "master-0", "master-1")
    other = "master-1" if leader == "master-0" else "master-0"
    half = [0.5] * 6
    assert spark.map(tasks.slow, half, lambda _: cluster.kill(leader) if leader in cluster.processes else None) == half
    cluster.wait("I have been elected leader", other)
    assert spark.map(tasks.slow, [0.1, 0.2]) == [0.1, 0.2]


def test_during_a_build_a_second_one_is_refused_and_a_reader_sees_the_old_mart(
    spark: SparkRunner, built: Path, expected: dict[str, bytes], copied: Callable[[Path], Stores]
):
    stores = copied(built)
    before = stores.lake.require("mart", "")
    refused, seen = [], set()

    def look(stage: str, done: int, total: int) -> None:
        now = stores.lake.require("mart", "")
        assert all(Path(path).is_file() for table in now.tables for path in now.files(table))
        seen.add(now.version)
        if not refused:
            with pytest.raises(Conflict, match="another process holds the lock for the stage mart") as raised:
                build_mart(stores.lake, stores.landing, stores.settings)
            refused.append(raised.value.exit_code)

    rules = Rules(request_statuses=())
    build_mart(
        stores.lake, stores.landing, stores.settings, runner=spark, rules=rules, progress=lambda *n: look("mart", *n)
    )
    assert (refused, seen) == ([1], {before.version})
    after = stores.lake.require("mart", "")
    assert (after.version, after.rows("person")) == (before.version + 1, before.rows("person"))
    assert mart_files(stores.settings.home) != expected


def test_an_error_that_may_pass_is_tried_again_by_spark(spark: SparkRunner, tmp_path: Path):
    assert spark.map(tasks.full_at_first, [str(tmp_path / "tried")]) == ["written"]
    with pytest.raises(StorageError, match="always full"):
        spark.map(tasks.always_full, [1])


def test_a_driver_killed_in_the_middle_leaves_nothing_and_the_next_run_gives_the_same_mart(
    cluster: Cluster, linked: Path, built: Path, expected: dict[str, bytes], tmp_path: Path
):
    home = tmp_path / "home"
    shutil.copytree(linked, home)
    where = RunnerSettings("spark", "local[2]")
    settings = Settings.load(home)
    Settings(home=home, buckets=settings.buckets, memory_mb=settings.memory_mb, runner=where).save()
    words = [sys.executable, "-m", "xinglin", "mart", "build", "--home", str(home)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list((home / "lake" / "mart").glob("*/0*/*.parquet")):
        assert process.poll() is None and time.monotonic() < end, "the build ended before it could be killed"
        time.sleep(0.02)
    tree = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (home / "lake" / "mart" / "_snapshot.json").exists()
    while any(_alive(pid) for pid in tree):
        assert time.monotonic() < end, "Java or its Pythons outlive the driver"
        time.sleep(0.1)
    build(opened(home), runner=LocalRunner(2))
    assert mart_files(home) == expected


def test_a_job_goes_on_where_a_lost_cluster_left_it(
    spark: SparkRunner, built: Path, copied: Callable[[Path], Stores], tmp_path: Path
):
    stores = copied(built)
    script = tmp_path / "count.py"
    script.write_text(
        "def map(tables, params):\n    return [{'n': 1}]\n"
        "def combine(partials, params):\n    return 'SELECT sum(n)::BIGINT AS n FROM partials'\n"
    )

    def lose(name: str, done: int, total: int) -> None:
        if done == 2:
            raise StorageError("the cluster is gone")

    with pytest.raises(StorageError):
        run_script(stores, script, {}, spark, lose)
    report = run_script(stores, script, {}, LocalRunner(1))
    assert (report.mapped, report.result.to_pylist()) == (report.buckets - 2, [{"n": report.buckets}])


def _alive(pid: int) -> bool:
    path = Path(f"/proc/{pid}/stat")
    try:
        return path.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
