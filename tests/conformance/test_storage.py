"""Every storage holds the same lake: a folder, HDFS (a NameNode, three DataNodes), S3 (a real server)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.stores import Hdfs, S3Server
from xinglin.admission import Stores
from xinglin.core.clock import fixed_clock
from xinglin.core.errors import Conflict, NotFound
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.flows.questions.sql import ask
from xinglin.flows.stages import run
from xinglin.flows.stages.sites import ensure_site
from xinglin.lake import Lake, Local, Snapshot, connect
from xinglin.lake.storage import Storage
from xinglin.landing import Landing
from xinglin.synthetic import RegionPlan, generate

from .conftest import tell_persons
from .publishing import LEFT, RIGHT, another, die, publish, race, series

ADAPTERS = ("file", "hdfs", "s3")
MOMENTS = ("pointer half written", "pointer written", "one Delta table of two written", "unnamed files left")
NewMachine = Callable[[], Lake]
_NUMBERS = count()


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def machine(adapter: str, request: pytest.FixtureRequest, tmp_path: Path) -> NewMachine:
    """Opens one lake as another machine would: nothing on it but, for a folder, the folder."""
    name = f"lake-{next(_NUMBERS)}"
    secrets = None
    if adapter == "file":
        root = str(tmp_path / name)
    elif adapter == "hdfs":
        root = f"{request.getfixturevalue('hdfs').url}/{name}"
    else:
        root = f"s3://lake/{name}"
        secrets = request.getfixturevalue("s3").secrets(tmp_path / "secrets.toml")
    return lambda: Lake(root, Local(tmp_path / f"machine-{next(_NUMBERS)}", secrets), permit=OPEN)


@pytest.fixture
def storage(machine: NewMachine) -> Storage:
    return machine().storage


def numbers(snapshot: Snapshot | None) -> tuple[int, int]:
    """The number in each of the two tables."""
    assert snapshot
    connection = connect(200, 1)
    return tuple(connection.read_parquet(snapshot.files(table.name)).fetchall()[0][0] for table in (LEFT, RIGHT))


def test_a_pointer_is_replaced_only_by_who_has_seen_what_it_was(storage: Storage) -> None:
    assert storage.read("stage/pointer") is None
    first = storage.replace("stage/pointer", b"one", None)
    with pytest.raises(Conflict):
        storage.replace("stage/pointer", b"two", None)
    second = storage.replace("stage/pointer", b"three", first)
    with pytest.raises(Conflict):
        storage.replace("stage/pointer", b"four", first)

    shown = storage.read("stage/pointer")
    assert shown
    assert (shown.data, shown.token) == (b"three", second)


def test_of_many_writers_at_once_one_wins(machine: NewMachine) -> None:
    lakes = [machine() for _ in range(4)]
    together = threading.Barrier(len(lakes))
    token: str | None = None

    def write(turn: int, number: int) -> str | None:
        together.wait()
        try:
            return lakes[number].storage.replace("stage/pointer", f"{turn}-{number}".encode(), token)
        except Conflict:
            return None

    for turn in range(5):
        with ThreadPoolExecutor(len(lakes)) as pool:
            tokens = list(pool.map(partial(write, turn), range(len(lakes))))
        [winner] = [number for number, won in enumerate(tokens) if won]
        shown = machine().storage.read("stage/pointer")
        assert shown
        assert (shown.data, shown.token) == (f"{turn}-{winner}".encode(), tokens[winner])
        token = shown.token


def test_a_data_file_comes_back_as_it_was_until_it_is_deleted(machine: NewMachine, tmp_path: Path) -> None:
    import hashlib

    content = bytes(range(256)) * 12_000
    key = f"stage/table/0001/{hashlib.sha256(content).hexdigest()[:40]}.parquet"
    for _ in range(2):
        (tmp_path / "file").write_bytes(content)
        machine().storage.adopt([(tmp_path / "file", key)])

    there = machine().storage
    assert [(one.key, one.size) for one in there.listing("stage")] == [(key, len(content))]
    assert list(there.listing("nothing")) == []
    assert Path(*there.paths([key])).read_bytes() == content

    there.delete([key, "stage/table/none.parquet"])
    assert list(machine().storage.listing("stage")) == []


@pytest.mark.parametrize("adapter", ["hdfs", "s3"], indirect=True)
def test_a_file_that_is_gone_says_so(machine: NewMachine) -> None:
    with pytest.raises(NotFound, match="newer state"):
        machine().storage.paths(["stage/table/none.parquet"])


def test_a_reader_beside_a_writer_sees_one_publication_or_another_and_never_a_mixture(machine: NewMachine) -> None:
    publish(machine(), 0)
    writer, _ = another(series, machine(), 5)
    seen = set()
    lake = machine()
    while writer.is_alive() or not seen:
        snapshot = lake.snapshot("pair")
        try:
            left, right = numbers(snapshot)
        except (NotFound, OSError):
            # Overtaken by two publications: the files are gone, and nothing wrong was read.
            continue
        assert snapshot
        assert left == right == snapshot.state["number"]
        seen.add(left)
    writer.join()
    assert writer.exitcode == 0
    assert numbers(machine().snapshot("pair")) == (5, 5)
    assert len(seen) >= 2, "the reader was too slow for this test to mean anything"


def test_of_two_publishers_at_once_one_wins_and_the_other_is_told(machine: NewMachine) -> None:
    publish(machine(), 0)
    both = [another(race, machine(), number) for number in (1, 2)]
    words = [line.recv() for _, line in both]
    for (_, line), word in zip(both, words, strict=True):
        if word == "ready":
            line.send("go")
    words = [line.recv() if word == "ready" else word for (_, line), word in zip(both, words, strict=True)]
    for process, _ in both:
        process.join()

    [winner] = [number for number, word in enumerate(words, 1) if word == "won"]
    assert sum(word.startswith("conflict: another") for word in words) == 1
    assert numbers(machine().snapshot("pair")) == (winner, winner)


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_in_the_middle_of_a_publication_leaves_the_old_or_the_new_state(
    machine: NewMachine, moment: str
) -> None:
    from deltalake import DeltaTable

    publish(machine(), 1)
    victim, _ = another(die, machine(), 2, moment)
    victim.join()
    assert victim.exitcode == -9

    left = 1 if moment == MOMENTS[0] else 2
    assert numbers(machine().snapshot("pair")) == (left, left)

    again = publish(machine(), 2)
    assert numbers(machine().snapshot("pair")) == (2, 2)
    for table in (LEFT, RIGHT):
        address, options = again.storage.delta(f"pair/{table.name}")
        shown = [Path(uri).name for uri in DeltaTable(address, storage_options=options).file_uris()]
        assert shown == [file.path for file in again.tables[table.name]]


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small region, landed."""
    folder = tmp_path_factory.mktemp("landed")
    generate(RegionPlan(persons=12, institutions=1, seed=7, workers=1), folder / "region")
    settings = Settings(home=folder / "home", buckets=2, threads=2, memory_mb=400)
    stores = stores_at(settings, Lake(folder / "none", permit=OPEN))
    for site in json.loads((folder / "region" / "region.json").read_bytes())["sites"]:
        ensure_site(stores.landing, site["name"], site["kind"])
        run.ingest(stores, folder / "region" / site["folder"], site["name"])
    return settings


@pytest.fixture(scope="session")
def in_a_folder(landed: Settings) -> dict[str, bytes]:
    """Every data file of the region, linked and built undisturbed in a folder."""
    lake = Lake(landed.home / "lake", permit=OPEN)
    run.link(stores_at(landed, lake))
    run.build(stores_at(landed, lake))
    return data_files(lake)


def stores_at(settings: Settings, lake: Lake) -> Stores:
    landing = Landing(settings.landing, settings.keys, OPEN)
    return Stores(settings, landing, lake, fixed_clock(datetime(2026, 1, 1, tzinfo=UTC)))


def build_disturbed(settings: Settings, lake: Lake, disturb: Callable[[], None]) -> None:
    """Build what is linked in the folder; disturb when a third of the tasks are done."""
    tell_persons(settings.home, lake)
    waiting = [disturb]

    def progress(stage: str, done: int, total: int) -> None:
        if waiting and 3 * done >= total:
            waiting.pop()()

    run.build(stores_at(settings, lake), progress=progress)
    assert not waiting


def data_files(lake: Lake, *stages: str) -> dict[str, bytes]:
    """Every data file that the snapshots of a lake, or of some stages, name, read by somebody who has no copies.

    Files that a build replaced before it published stay in a store elsewhere for a time; no snapshot names them.
    """
    keys = [
        f"{stage}/{table}/{file.path}"
        for stage in stages or ("identity", "mart")
        for table, files in lake.require(stage, "build it").tables.items()
        for file in files
    ]
    return dict(zip(keys, (Path(path).read_bytes() for path in lake.storage.paths(keys)), strict=True))


def test_a_mart_has_the_same_bytes_everywhere(
    machine: NewMachine, landed: Settings, in_a_folder: dict[str, bytes]
) -> None:
    for stage in (run.link, run.build):
        stage(stores_at(landed, machine()))

    found = data_files(machine())
    assert sorted(found) == sorted(in_a_folder)
    assert [key for key in found if found[key] != in_a_folder[key]] == []
    assert any("/measurement/" in key for key in found)
    stores = stores_at(landed, machine())
    question = "SELECT count(*), count(DISTINCT person_id) FROM measurement"
    local = stores_at(landed, Lake(landed.home / "lake", permit=OPEN))
    assert list(ask(stores, question).rows()) == list(ask(local, question).rows())


@pytest.mark.parametrize("adapter", ["hdfs"], indirect=True)
def test_a_data_node_killed_in_the_middle_of_a_build_changes_nothing(
    machine: NewMachine, hdfs: Hdfs, landed: Settings, in_a_folder: dict[str, bytes]
) -> None:
    try:
        build_disturbed(landed, machine(), lambda: hdfs.kill_data_node(0))
        assert data_files(machine(), "mart") == only_mart(in_a_folder)
    finally:
        hdfs.start_data_node(0)
        hdfs.wait(3)


@pytest.mark.parametrize("adapter", ["s3"], indirect=True)
def test_an_object_store_that_is_killed_and_comes_back_changes_nothing(
    machine: NewMachine, s3: S3Server, landed: Settings, in_a_folder: dict[str, bytes]
) -> None:
    def disturb() -> None:
        s3.kill()
        s3.start(after=1.5)

    build_disturbed(landed, machine(), disturb)
    assert data_files(machine(), "mart") == only_mart(in_a_folder)


def only_mart(files: dict[str, bytes]) -> dict[str, bytes]:
    return {key: content for key, content in files.items() if key.startswith("mart/")}
