from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xinglin.contracts.model import Column, Table
from xinglin.core.errors import Conflict, ContractViolation, NotFound, StorageError
from xinglin.core.permit import OPEN
from xinglin.lake import DataFile, Lake, connect, write_parquet

EVENT = Table(
    name="event",
    stage="mart",
    zone="pseudonymous",
    grain="one row per event",
    key=("event_id",),
    columns=(Column("event_id", "BIGINT", "Key"), Column("at", "TIMESTAMP", "When"), Column("on", "DATE", "Day")),
    bucketed=True,
)
PLACE = Table(
    "place", "mart", "pseudonymous", "one row per place", ("place_id",), (Column("place_id", "BIGINT", "Key"),)
)


def write_events(lake: Lake, folder: Path, numbers: list[int]) -> list[DataFile]:
    connection = connect(memory_mb=200, threads=1)
    files = []
    for number in numbers:
        select = f"SELECT {number}::BIGINT event_id, TIMESTAMP '2024-01-01' \"at\", DATE '2024-01-01' \"on\""
        write_parquet(connection, select, folder / "event.parquet")
        files.append(lake.adopt(EVENT, folder / "event.parquet", number % 8))
    return files


def read(paths: list[str]) -> list[int]:
    return sorted(row[0] for row in connect(200, 1).read_parquet(paths).fetchall())


def test_a_stage_shows_all_its_tables_at_once_and_only_what_was_published(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        files = write_events(lake, folder, [1, 2, 3])
        assert lake.snapshot("mart") is None
        snapshot = lake.publish("mart", {EVENT: files[:2]}, {"seen": 2})
    assert read(snapshot.files("event")) == [1, 2]
    assert lake.snapshot("mart") == snapshot
    assert snapshot.rows("event") == 2
    assert read(snapshot.files("event", buckets=[2])) == [2]


def test_publishing_the_same_again_changes_nothing(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        files = write_events(lake, folder, [1])
        first = lake.publish("mart", {EVENT: files}, {})
        second = lake.publish("mart", {EVENT: write_events(lake, folder, [1])}, {})
    assert first == second


def test_delta_readers_see_the_same_files_as_the_snapshot(tmp_path):
    from deltalake import DeltaTable

    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        lake.publish("mart", {EVENT: write_events(lake, folder, [1, 2, 3])}, {})
        snapshot = lake.publish("mart", {EVENT: write_events(lake, folder, [3, 4])}, {})
    table = DeltaTable(str(tmp_path / "mart" / "event"))
    assert table.version() == 1
    assert sorted(Path(uri).name for uri in table.file_uris()) == sorted(Path(f).name for f in snapshot.files("event"))


def test_a_run_killed_between_delta_and_pointer_is_mended_by_the_next(tmp_path):
    from deltalake import DeltaTable

    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        lake.publish("mart", {EVENT: write_events(lake, folder, [1])}, {})
        pointer = (tmp_path / "mart" / "_snapshot.json").read_bytes()
        lake.publish("mart", {EVENT: write_events(lake, folder, [1, 2])}, {})
    (tmp_path / "mart" / "_snapshot.json").write_bytes(pointer)
    assert read(lake.snapshot("mart").files("event")) == [1]
    with lake.scratch("mart") as folder:
        again = lake.publish("mart", {EVENT: write_events(lake, folder, [1, 2])}, {})
    assert read(again.files("event")) == [1, 2]
    assert len(DeltaTable(str(tmp_path / "mart" / "event")).file_uris()) == 2


def test_a_reader_may_finish_while_the_next_snapshot_appears(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        first = lake.publish("mart", {EVENT: write_events(lake, folder, [1])}, {})
        lake.publish("mart", {EVENT: write_events(lake, folder, [2])}, {})
        assert read(first.files("event")) == [1]
        lake.publish("mart", {EVENT: write_events(lake, folder, [3])}, {})
    assert not any(Path(file).exists() for file in first.files("event"))


def test_columns_that_are_not_the_contracts_are_refused(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        write_parquet(connect(200, 1), "SELECT 1::BIGINT wrong", folder / "a.parquet")
        with pytest.raises(ContractViolation, match="wrong"):
            lake.adopt(PLACE, folder / "a.parquet")
        with pytest.raises(ContractViolation, match="bucket"):
            lake.adopt(EVENT, folder / "a.parquet")
        with pytest.raises(ContractViolation, match="bucket"):
            lake.adopt(PLACE, folder / "a.parquet", 3)


def test_types_that_are_not_the_contracts_are_refused(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        write_parquet(connect(200, 1), "SELECT '1' AS place_id", folder / "a.parquet")
        with pytest.raises(ContractViolation, match="place_id"):
            lake.adopt(PLACE, folder / "a.parquet")


def test_two_writers_of_one_stage_do_not_meet(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    code = (
        "import sys; from pathlib import Path; from xinglin.lake import Lake\n"
        "from xinglin.core.permit import OPEN\n"
        "with Lake(Path(sys.argv[1]), permit=OPEN).scratch('mart'): pass"
    )
    with lake.scratch("mart"):
        with pytest.raises(Conflict, match="stage mart"), lake.scratch("mart"):
            pass
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
        assert other.returncode != 0
        assert "Conflict" in other.stderr


def test_scratch_of_a_killed_run_is_swept(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    left = tmp_path / "mart" / "_scratch" / "left.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    with lake.scratch("mart") as folder:
        assert list(folder.iterdir()) == []


def test_a_full_disk_is_said_plainly_and_changes_nothing(tmp_path, monkeypatch):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        before = lake.publish("mart", {EVENT: write_events(lake, folder, [1])}, {})

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="disk is full"), lake.scratch("mart") as folder:
        files = write_events(lake, folder, [2])
        monkeypatch.setattr(os, "replace", refuse)
        lake.publish("mart", {EVENT: files}, {})
    monkeypatch.undo()
    assert lake.snapshot("mart") == before


def test_a_stage_that_never_ran_says_what_to_run(tmp_path):
    with pytest.raises(NotFound, match="xinglin run"):
        Lake(tmp_path, permit=OPEN).require("mart", "run: xinglin run")


def test_an_unknown_table_is_not_found(tmp_path):
    lake = Lake(tmp_path, permit=OPEN)
    with lake.scratch("mart") as folder:
        snapshot = lake.publish("mart", {EVENT: write_events(lake, folder, [1])}, {})
    with pytest.raises(NotFound, match="nothing"):
        snapshot.files("nothing")
