"""Spark's executors on a lake that lies on HDFS or in an object store; the region's folder is shared by all."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.conformance.conftest import tell_persons
from tests.stores import Hdfs
from xinglin.admission import Stores
from xinglin.core.permit import OPEN
from xinglin.core.settings import LakeSettings, Settings
from xinglin.flows.questions.bi_tables import show_mart
from xinglin.flows.questions.sql import ask
from xinglin.flows.stages.run import build, check
from xinglin.lake.spark import SparkRunner
from xinglin.lake.thrift import SqlDoor
from xinglin.wiring import assemble

_NUMBERS = count()
QUESTION = "SELECT gender_concept_id, count(*) AS n FROM person GROUP BY gender_concept_id ORDER BY 1"


@pytest.fixture(params=["hdfs", "s3"])
def elsewhere(request: pytest.FixtureRequest, linked: Path, tmp_path: Path) -> Stores:
    """The generated region, landed in a folder, in a lake elsewhere that knows who its persons are."""
    home = tmp_path / "home"
    shutil.copytree(linked, home)
    shutil.rmtree(home / "lake")
    name = f"spark-{next(_NUMBERS)}"
    if request.param == "hdfs":
        url = f"{request.getfixturevalue('hdfs').url}/{name}"
    else:
        url = f"s3://lake/{name}"
        request.getfixturevalue("s3").secrets(home / "keys" / "lake.toml")
    replace(Settings.load(home), storage=LakeSettings(url)).save()
    stores = assemble(Settings.load(home), OPEN)
    tell_persons(linked, stores.lake)
    return stores


def test_a_lake_elsewhere_gets_the_same_mart_and_report_and_answers_sql(
    spark: SparkRunner,
    cluster: Cluster,
    elsewhere: Stores,
    built: Path,
    expected: dict[str, bytes],
    copied: Callable[[Path], Stores],
):
    build(elsewhere, runner=spark)
    assert _mart(elsewhere) == {name: data for name, data in expected.items() if name.endswith(".parquet")}
    found = check(elsewhere, runner=spark)
    assert found.summary()["passed"] > 500
    session = spark.session()
    try:
        show_mart(elsewhere, SqlDoor(session), lambda: True)
        answers = [tuple(row) for row in session.sql(QUESTION).collect()]
    finally:
        for view in session.catalog.listTables():
            session.catalog.dropTempView(view.name)
    assert answers == list(ask(elsewhere, QUESTION).rows())
    _no_secret(elsewhere, cluster)


@pytest.mark.parametrize("elsewhere", ["hdfs"], indirect=True)
def test_a_data_node_killed_while_spark_builds_changes_nothing(
    spark: SparkRunner, hdfs: Hdfs, elsewhere: Stores, expected: dict[str, bytes]
):
    killed: list[int] = []

    def kill(stage: str, done: int, total: int) -> None:
        if 3 * done >= total and not killed:
            killed.append(done)
            hdfs.kill_data_node(0)

    try:
        build(elsewhere, runner=spark, progress=kill)
    finally:
        hdfs.start_data_node(0)
        hdfs.wait(3)
    assert killed
    assert _mart(elsewhere) == {name: data for name, data in expected.items() if name.endswith(".parquet")}


def _mart(stores: Stores) -> dict[str, bytes]:
    """Every data file that the mart's snapshot names, as a reader without copies reads it."""
    shutil.rmtree(stores.settings.lake / "_cache")
    storage = stores.lake.storage
    tables = stores.lake.require("mart", "build it").tables
    keys = [f"mart/{table}/{file.path}" for table, files in tables.items() for file in files]
    paths = storage.paths(keys)
    return {key.removeprefix("mart/"): Path(path).read_bytes() for key, path in zip(keys, paths, strict=True)}


def _no_secret(stores: Stores, cluster: Cluster) -> None:
    """Neither what tasks are told nor what the cluster writes down holds a key."""
    secrets = stores.settings.keys / "lake.toml"
    if not secrets.exists():
        return
    words = [line.split('"')[1].encode() for line in secrets.read_text().splitlines() if "key" in line]
    told = [path.read_bytes() for path in cluster.folder.rglob("*") if path.is_file() and path.suffix != ".jar"]
    assert words and told
    assert not any(word in text for word in words for text in [pickle.dumps(stores.lake), *told])
