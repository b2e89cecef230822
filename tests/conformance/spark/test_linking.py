"""Who is the same person does not depend on where the records were compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster
from tests.unit.identity import handmade
from tests.unit.identity.handmade import CLOCK, Region, febrl, patient
from xinglin.admission import Stores
from xinglin.flows.stages.run import link
from xinglin.identity import link as link_patients
from xinglin.identity.features import gathering
from xinglin.lake import LocalRunner, Runner
from xinglin.lake.spark import SparkRunner

APART = pytest.mark.parametrize("runner", ["processes", "spark-cluster"], indirect=True)
"""Tasks in other processes, and on a cluster; threads do as processes, and Spark of one machine as the cluster."""
GIVEN = ["小红", "小虹", "晓红", "红", "建国", "建囯", "国建", "Zoë", "Zoe", "Anne-Marie", "Annemarie"]
FAMILY = ["王", "欧阳", "歐陽", "Müller", "Mueller", "O’Neil"]


@pytest.fixture(autouse=True)
def by_value(java: None) -> None:
    """The executors know Xinglin, not the hand-made landing."""
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(handmade)


def _crowd(site: str) -> list[dict[str, Any]]:
    """Records that differ by what engines count differently: characters of several bytes, exchanged neighbours."""
    found = []
    for number in range(132):
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
        born = f"19{50 + number // 6}-0{1 + number % 3}-1{number % 2 if site == 'a' else (number + 1) % 2}"
        more = {
            "gender": "female" if number % 2 else "male",
            "national_id": f"{number:04d}{'京A' if site == 'a' else 'A京'}{number * 7919 % 10000:04d}",
            "phone": f"138{number * 104729 % 10**8:08d}",
            "line": f"{'建国路' if site == 'a' else '建國路'}{number}号",
            "city": "北京",
            "postal": f"1000{number % 90 + 10}",
        }
        found.append(patient(f"{number}", family, given, born, **more))
    return found


def _linked(region: Region, runner: Runner) -> dict[str, bytes]:
    link_patients(region.lake, region, region.settings, CLOCK, runner=runner)
    return region.tables()


def _twice(home: Path, runner: Runner, first: list[tuple[str, Any]], then: list[tuple[str, Any]]) -> list[Any]:
    """The tables after everything was compared, and after more arrived."""
    region, found = Region(home), []
    for landed in (first, then):
        for site, patients in landed:
            region.land(site, patients)
        found.append(_linked(region, runner))
    return found


@APART
def test_names_in_every_script_give_the_same_pairs_byte_by_byte(runner: Runner, tmp_path: Path):
    ours, theirs = (
        _twice(tmp_path / name, one, [("a", _crowd("a")), ("b", _crowd("b")[:100])], [("c", _crowd("b")[100:])])
        for name, one in (("ours", runner), ("theirs", LocalRunner(1)))
    )
    assert ours == theirs
    assert any(name.startswith("pair/") for name in ours[1])


@pytest.mark.real
def test_febrl_gives_the_same_persons_byte_by_byte(
    spark: SparkRunner, tmp_path: Path, real_data: Callable[[str], Path]
):
    patients, _ = febrl(real_data("linkage-febrl"), 1)
    found = []
    for name, runner in (("ours", spark), ("theirs", LocalRunner(2))):
        region = Region(tmp_path / name)
        region.land("febrl", patients)
        found.append(_linked(region, runner))
    assert found[0] == found[1]
    assert any(name.startswith("pair/") for name in found[0])


def test_many_small_tasks_on_spark_and_a_worker_killed_while_splink_compares_change_nothing(
    spark: SparkRunner,
    cluster: Cluster,
    linked: Path,
    copied: Callable[[Path], Stores],
    monkeypatch: pytest.MonkeyPatch,
):
    stores, killed = copied(linked), threading.Event()
    before, jobs = _identity(stores), spark.session().sparkContext.statusTracker()
    monkeypatch.setattr(gathering, "TASK_BYTES", 1)

    def kill() -> None:
        while not jobs.getActiveJobsIds():
            time.sleep(0.01)
        cluster.kill("worker-0")
        killed.set()

    def progress(stage: str, done: int, total: int) -> None:
        # The features are there, and nothing else is done before pairs are compared.
        if done == 1:
            threading.Thread(target=kill, daemon=True).start()

    try:
        report = link(stores, full=True, runner=spark, progress=progress)
        assert killed.is_set()
        assert report.persons == 20
    finally:
        cluster.start_worker(0)
    assert _identity(stores) == before


def test_a_generated_region_is_linked_the_same_from_many_small_tasks(
    linked: Path, copied: Callable[[Path], Stores], monkeypatch: pytest.MonkeyPatch
):
    stores = copied(linked)
    before = _identity(stores)
    monkeypatch.setattr(gathering, "TASK_BYTES", 1)
    report = link(stores, full=True, runner=LocalRunner(2, processes=True))
    assert report.persons == 20
    assert _identity(stores) == before


def _identity(stores: Stores) -> dict[str, bytes]:
    root = stores.settings.lake / "identity"
    named = stores.lake.require("identity", "").tables.values()
    return {path: next(root.glob(f"*/{path}")).read_bytes() for path in (file.path for some in named for file in some)}
