"""What a backup stores, and what a second one adds."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from tests.unit.backup.conftest import Bed
from xinglin.backup import Recipients, Target, backups, create, new_identity, verify
from xinglin.backup.format import reading
from xinglin.backup.format.reading import Reader
from xinglin.core.errors import Conflict, StorageError, UsageError

from .conftest import NOW


def stored(bed: Bed) -> set[Path]:
    return set((bed.folder / "target" / "objects").rglob("*.age"))


def test_everything_that_cannot_be_built_again_is_in_it_and_nothing_else(bed: Bed) -> None:
    bed.create()
    bed.restore()

    files = {path.relative_to(bed.folder / "again").as_posix() for path in (bed.folder / "again").rglob("*")}
    assert {
        "xinglin.toml",
        "keys/mercy.key",
        "ledger/ledger.sqlite",
        "access/audit/stream-1",
        "landing/mercy/site.json",
        "landing/mercy/spool/mllp-00000001",
        "landing/mercy/originals/ab12.zst",
        "landing/mercy/batch-000002/Patient-00000.parquet",
    } <= files
    assert not [path for path in files if path.startswith(("lake/", "landing/mercy/index", "landing/mercy/."))]


def test_a_second_backup_stores_only_what_is_new(bed: Bed) -> None:
    first = bed.create()
    bed.put("landing/mercy/batch-000003/Patient-00000.parquet", os.urandom(30_000))
    before = stored(bed)

    second = bed.create()

    assert second.manifest.previous == first.manifest.root
    assert second.manifest.sequence == 2
    assert second.manifest.files == first.manifest.files + 1
    assert 30_000 < second.manifest.stored < 40_000
    assert sum(path.stat().st_size for path in stored(bed) - before) == second.manifest.stored


def test_files_that_did_not_change_are_not_read_again(bed: Bed) -> None:
    first = bed.create()
    second = bed.create()
    database = (bed.home / "ledger" / "ledger.sqlite").stat().st_size

    assert first.read == first.manifest.length
    # The settings were written a moment ago, and could change again without their time showing it.
    assert second.read <= database + (bed.home / "xinglin.toml").stat().st_size


def test_content_that_was_moved_or_copied_is_stored_once(bed: Bed) -> None:
    bed.create()
    content = (bed.home / "landing/mercy/originals/ab12.zst").read_bytes()
    bed.put("landing/mercy/originals/cd34.zst", content)

    assert bed.create().manifest.stored < 10_000


def test_no_name_at_the_target_shows_a_path_or_the_hash_of_a_content(bed: Bed) -> None:
    bed.create()
    seen = b"".join(
        path.name.encode() + path.read_bytes() for path in (bed.folder / "target").rglob("*") if path.is_file()
    )

    for path in bed.home.rglob("*"):
        if path.is_file() and path.stat().st_size:
            assert hashlib.sha256(path.read_bytes()).hexdigest().encode() not in seen
    assert b"mercy" not in seen


def test_a_database_is_copied_as_of_one_commit_while_others_write(bed: Bed) -> None:
    path = bed.home / "ledger" / "ledger.sqlite"
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        writer = sqlite3.connect(path, timeout=30)
        while not stop.is_set():
            with writer:
                # Two rows in one commit: a torn copy would have an odd number.
                writer.executemany("INSERT INTO entry VALUES (?)", [(1,), (1,)])
            written.set()
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert written.wait(30)
        bed.create()
    finally:
        stop.set()
        thread.join()
    bed.restore()

    assert not list((bed.folder / "again" / "ledger").glob("*-wal"))
    copy = sqlite3.connect(bed.folder / "again" / "ledger" / "ledger.sqlite")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT sum(number) FROM entry WHERE number = 1").fetchone()[0] % 2 == 0
    copy.close()


def test_a_log_that_grows_is_stored_up_to_the_length_it_had(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    log = bed.home / "access" / "audit" / "stream-1"
    begin = Reader._store

    def grow(self: Reader, path: str, *rest: object) -> object:
        if path.endswith("stream-1"):
            with log.open("ab") as file:
                file.write(b"half an ev")
        return begin(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "_store", grow)
    bed.create()
    bed.restore()

    assert (bed.folder / "again" / "access" / "audit" / "stream-1").read_bytes() == b"event\n" * 1_000


def test_a_log_that_is_renamed_while_it_is_read_is_read_again(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bed.home / "access" / "audit"
    begin, done = Reader._store, []

    def seal(self: Reader, path: str, *rest: object) -> object:
        if path.endswith("stream-1") and not done:
            done.append(path)
            (folder / "stream-1").rename(folder / "segment-1")
            (folder / "stream-1").write_bytes(b"newer\n")
        return begin(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "_store", seal)
    bed.create()
    bed.restore()

    again = bed.folder / "again" / "access" / "audit"
    assert (again / "segment-1").read_bytes() == b"event\n" * 1_000
    assert (again / "stream-1").read_bytes() == b"newer\n"


def test_an_erasure_that_happens_meanwhile_is_in_the_backup_as_a_whole(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, done = Reader._store, []

    def erase(self: Reader, path: str, *rest: object) -> object:
        entry = begin(self, path, *rest)  # type: ignore[arg-type]
        if path.endswith("batch-000001/Patient-00000.parquet") and not done:
            done.append(path)
            bed.put("landing/mercy/tombstones/000001.json", b"signed")
            bed.put(path, b"without the person")
        return entry

    monkeypatch.setattr(Reader, "_store", erase)
    bed.create()
    bed.restore()

    again = bed.folder / "again" / "landing" / "mercy"
    assert (again / "tombstones" / "000001.json").read_bytes() == b"signed"
    assert (again / "batch-000001" / "Patient-00000.parquet").read_bytes() == b"without the person"


def test_files_that_never_stand_still_end_in_an_error(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Reader._store

    def move(self: Reader, path: str, *rest: object) -> object:
        if path.startswith("keys/"):
            (bed.home / "keys" / f"{os.urandom(4).hex()}.key").touch()
        return begin(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "_TRIES", 3)
    monkeypatch.setattr(Reader, "_store", move)
    with pytest.raises(Conflict, match="were renamed"):
        bed.create()
    assert backups(bed.target) == []


def test_what_is_neither_file_nor_folder_is_left_out_and_said(bed: Bed) -> None:
    (bed.home / "keys" / "elsewhere").symlink_to("/etc/hostname")
    os.mkfifo(bed.home / "ledger" / "pipe")

    assert bed.create().left_out == ("ledger/pipe", "keys/elsewhere")


def test_the_state_of_a_validator_is_never_stored(bed: Bed) -> None:
    bed.put("ledger/node/data/priv_validator_state.json", b"{}")
    bed.put("ledger/node/data/blockstore.db/1.ldb", b"chain")
    bed.put("ledger/node/config/config.toml", b"node")
    bed.put("keys/priv_validator_state.json", b"{}")
    bed.create()
    bed.restore()

    again = bed.folder / "again"
    assert not list(again.rglob("priv_validator_state.json"))
    assert (again / "ledger" / "node" / "config" / "config.toml").is_file()
    assert not (again / "ledger" / "node" / "data").exists()
    assert not (again / "ledger" / "ledger.sqlite").exists()


def test_other_recipients_mean_that_everything_is_stored_for_them(bed: Bed) -> None:
    first = bed.create()
    _, other = new_identity(NOW)

    second = create(bed.plan(recipients=[bed.public, other]), bed.target)

    assert second.manifest.stored > first.manifest.stored - 10_000
    assert not set(first.manifest.names) & set(second.manifest.names)


def test_a_lost_memory_costs_room_and_nothing_else(bed: Bed) -> None:
    first = bed.create()
    for path in (bed.home / "backup").rglob("*.jsonl"):
        path.unlink()
    second = bed.create()

    assert second.manifest.stored > first.manifest.stored - 10_000
    verify(bed.target, second.manifest, bed.identities)


def test_objects_that_somebody_removed_are_stored_again(bed: Bed) -> None:
    bed.create()
    for path in stored(bed):
        path.unlink()

    verify(bed.target, bed.create().manifest, bed.identities)


def test_a_backup_goes_neither_into_the_region_nor_among_those_of_another(bed: Bed) -> None:
    with pytest.raises(UsageError, match="inside the region"):
        create(bed.plan(), Target.at(str(bed.home / "backups")))
    bed.create()
    plan = bed.plan()
    other = type(plan)(plan.settings, plan.lake, b"1" * 32, plan.recipients, plan.clock)
    with pytest.raises(Conflict, match="another region"):
        create(other, bed.target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_lists_nothing_and_the_next_try_goes_on(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    bed.put("landing/mercy/originals/ef56.zst", os.urandom(20_000_000))
    seal, calls = Recipients.seal, []

    def full(self: Recipients, plain: bytes, path: Path) -> tuple[str, int]:
        calls.append(len(plain))
        if len(calls) > 3:
            with open("/dev/full", "wb", buffering=0) as device:
                device.write(b"x")
        return seal(self, plain, path)

    with monkeypatch.context() as patch:
        patch.setattr(Recipients, "seal", full)
        with pytest.raises(StorageError, match="the disk is full"):
            bed.create()
    assert backups(bed.target) == []
    assert not (bed.folder / "target" / ".unfinished").exists()
    second = bed.create()
    assert second.manifest.stored < second.manifest.length - 5_000_000
    verify(bed.target, second.manifest, bed.identities)
