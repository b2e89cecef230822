"""The adapters that the suites of this folder hold to their ports."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from xinglin.admission import Stores
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.errors import NotFound
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.flows.stages.run import build
from xinglin.lake import Lake, LocalRunner, Runner
from xinglin.lake.spark import SparkRunner
from xinglin.ledger import EmbeddedLedger
from xinglin.wiring import open_runner

from ..cluster import EXECUTOR, Cluster, starting_cluster
from ..conftest import group_of
from ..consortium import consortium as consortium
from ..ledgers import Desk, Held, TurnedClock, genesis
from ..opened import opened
from ..stores import hdfs as hdfs
from ..stores import hdfs_begun as hdfs_begun
from ..stores import s3 as s3
from .spark import tasks

HERE = Path(__file__).parent
RUNNERS = ["threads", "processes", "spark-local", "spark-cluster"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A process has one Spark application at a time: those that begin their own come before those on the cluster.

    The validators come last, so that they do not run beside everything else.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if HERE not in item.path.parents:
        return 0
    needed = _needed(item)
    if needed & {"consortium", "cometbft"}:
        return 5
    if "cluster" in needed:
        return 4
    if "spark-local" in needed:
        return 2
    return 1 if item.path.stem == "test_door" else 3


def _needed(item: pytest.Item) -> set[str]:
    """Fixtures and adapters that a test needs."""
    chosen = getattr(item, "callspec", None)
    adapters = {value for value in chosen.params.values() if isinstance(value, str)} if chosen else set()
    needed = adapters | set(getattr(item, "fixturenames", ()))
    return needed | {"cluster"} if "spark-cluster" in needed else needed


@pytest.fixture(scope="session")
def java() -> None:
    """Spark and its Java, or a skip that says plainly what was not tested."""
    pytest.importorskip("pyspark", reason="the runner spark was not tested: pyspark is not installed")
    from tempfile import mkdtemp

    from xinglin.lake.java import java_home

    folder = Path(mkdtemp())
    try:
        java_home(folder)
    except NotFound as error:
        pytest.skip(f"the runner spark was not tested: {error}")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def wanted(request: pytest.FixtureRequest) -> set[str]:
    """Fixtures and adapters that some test needs."""
    return set().union(*(_needed(item) for item in request.session.items if HERE in item.path.parents))


@pytest.fixture(autouse=True)
def ahead(request: pytest.FixtureRequest, wanted: set[str]) -> None:
    """What takes long to start and is needed later starts beside the first tests."""
    if "PYTEST_XDIST_WORKER" in os.environ and group_of(request.node.nodeid) == "waiting":
        return
    for server, begun in (("hdfs", "hdfs_begun"), ("cluster", "cluster_begun")):
        # Where it cannot be had, the tests that need it say so.
        with suppress(pytest.skip.Exception):
            if server in wanted:
                request.getfixturevalue(begun)


@pytest.fixture(scope="package")
def cluster_begun(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Cluster]]:
    """A cluster that may still be starting."""
    with starting_cluster(tmp_path_factory.mktemp("cluster")) as ready:
        yield ready


@pytest.fixture(scope="package")
def cluster(cluster_begun: Callable[[], Cluster]) -> Cluster:
    """Two masters, ZooKeeper and three workers on this machine."""
    return cluster_begun()


@pytest.fixture(scope="package")
def application(cluster: Cluster) -> Iterator[Any]:
    """The one application on the cluster: its SparkContext."""
    from pyspark import cloudpickle

    from xinglin.lake.application import spark_application

    # The executors know Xinglin, not its tests.
    cloudpickle.register_pickle_by_value(tasks)
    with spark_application(cluster.master, EXECUTOR) as context:
        yield context


@pytest.fixture(scope="package")
def spark(application: Any) -> SparkRunner:
    """The runner of the one application."""
    return SparkRunner(application)


@pytest.fixture(scope="package", params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Every runner in turn."""
    if request.param == "threads":
        yield LocalRunner(2)
    elif request.param == "processes":
        yield LocalRunner(2, processes=True)
    elif request.param == "spark-local":
        request.getfixturevalue("java")
        with open_runner(Settings(Path()), "spark", "local[2]") as made:
            yield made
    else:
        yield request.getfixturevalue("spark")


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a small generated region, landed and linked; not to be changed."""
    from xinglin.flows.demo import gather
    from xinglin.flows.stages.run import link
    from xinglin.synthetic import RegionPlan, generate

    folder = tmp_path_factory.mktemp("linked")
    generate(RegionPlan(persons=20, institutions=2, seed=4, workers=1), folder / "region")
    return _linked(folder / "home", lambda stores: (gather(stores, folder / "region"), link(stores)))


@pytest.fixture(scope="session")
def linked_synthea(tmp_path_factory: pytest.TempPathFactory, real_data: Callable[[str], Path]) -> Path:
    """The home of a region that holds three of Synthea's patients, landed and linked."""
    from zipfile import ZipFile

    from xinglin.flows.stages.run import ingest, link
    from xinglin.flows.stages.sites import ensure_site

    folder = tmp_path_factory.mktemp("synthea")
    with ZipFile(real_data("fhir-synthea-smart") / "bundles.zip") as archive:
        bundles = [one for one in archive.infolist() if one.filename.endswith(".json")]
        persons = [one for one in bundles if "Information" not in one.filename]
        for one in sorted(persons, key=lambda one: one.file_size)[:3]:
            archive.extract(one, folder / "files")

    def fill(stores: Stores) -> None:
        ensure_site(stores.landing, "synthea", "hospital")
        ingest(stores, folder / "files", "synthea")
        link(stores)

    return _linked(folder / "home", fill)


@pytest.fixture(scope="session")
def built(linked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated region with its mart, as one thread builds it."""
    return _built(linked, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def expected(built: Path) -> dict[str, bytes]:
    """The mart of the generated region."""
    return mart_files(built)


@pytest.fixture(scope="session")
def expected_synthea(linked_synthea: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The mart of the real records as one thread builds it."""
    return mart_files(_built(linked_synthea, tmp_path_factory.mktemp("built-synthea")))


def _built(home: Path, folder: Path) -> Path:
    shutil.copytree(home, folder / "home")
    build(opened(folder / "home"), runner=LocalRunner(1))
    return folder / "home"


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Stores]:
    """A copy of a region that a test may change."""

    def copy(home: Path) -> Stores:
        shutil.copytree(home, tmp_path / "home", dirs_exist_ok=True)
        return opened(tmp_path / "home")

    return copy


def tell_persons(home: Path, lake: Lake) -> None:
    """Publish in a lake who is who, as the region at `home` has found out."""
    identity = Lake(home / "lake", permit=OPEN).require("identity", "")
    with lake.scratch("identity") as folder:
        copy = shutil.copy(identity.files(PERSON_MAP.name)[0], folder / "file")
        lake.publish("identity", {PERSON_MAP: [lake.adopt(PERSON_MAP, Path(copy))]}, {})


def mart_files(home: Path) -> dict[str, bytes]:
    """Every file of the mart but Delta's log, which holds times and random names."""
    root = home / "lake" / "mart"
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and "_delta_log" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def _linked(home: Path, fill: Callable[[Stores], object]) -> Path:
    Settings(home=home, buckets=4, threads=2, memory_mb=400).save()
    fill(opened(home, create=True))
    return home


@pytest.fixture(scope="package", params=["embedded", "cometbft"])
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """Every ledger in turn."""
    if request.param == "embedded":
        folder, clock = tmp_path_factory.mktemp("ledger"), TurnedClock()
        ledger, other = EmbeddedLedger.create(folder, genesis(), clock), EmbeddedLedger(folder, clock)
        yield Held(ledger, other, Desk())
    else:
        member = request.getfixturevalue("consortium").members[0]
        ledger, other = member.ledger(), member.ledger()
        # The faults' tests sign with the same key.
        desk = Desk(member.name, member.key, chain_id=ledger.chain_id, now=time.time, numbers=member.numbers)
        yield Held(ledger, other, desk)
    for one in (ledger, other):
        one.close()
