"""What was stored comes back, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.backup.conftest import NOW, Bed, bed_in, tree
from xinglin.backup import backups, create, new_identity, read_identities, restore
from xinglin.backup.format import packing as packing_module
from xinglin.core.errors import BadInput, Conflict, StorageError, VerificationFailed

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\x00."), min_size=1, max_size=12).filter(
    lambda name: len(name.encode()) < 100 and name not in {"backup", "jobs", "tmp", "landing", "lake"}
)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=300) | st.integers(0, 40_000), st.sampled_from([0o600, 0o644, 0o400, 0o750])),
    max_size=12,
)


def content_of(what: bytes | int) -> bytes:
    return what if isinstance(what, bytes) else bytes(n * n % 251 for n in range(what))


@settings(max_examples=25, deadline=None)
@given(first=TREES, second=TREES)
def test_any_tree_comes_back_as_it_was_also_after_a_change(first: dict, second: dict) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("xinglin.backup.format.reading.PIECE", 1_000)
        patch.setattr(packing_module, "OBJECT", 5_000)
        bed = bed_in(Path(folder))
        for number, files in enumerate((first, second)):
            for path, (what, mode) in files.items():
                if (
                    not any((bed.home / parent).is_file() for parent in Path(path).parents)
                    and not (bed.home / path).is_dir()
                ):
                    (bed.home / path).unlink(missing_ok=True)
                    bed.put(path, content_of(what), mode)
            bed.create()
            bed.restore(f"again{number}")
            shutil.rmtree(bed.folder / f"again{number}" / "backup")
            wanted = {path: one for path, one in tree(bed.home).items() if path.split("/")[0] != "backup"}
            assert tree(bed.folder / f"again{number}") == wanted


def test_a_restored_region_has_its_data_and_its_modes(bed: Bed) -> None:
    bed.create()
    restored = bed.restore()

    again = tree(restored.home)
    for path, (mode, content) in tree(bed.home).items():
        if path in again and content is not None and not path.startswith(("ledger", "backup")):
            assert again[path] == (mode, content)
    assert again["keys"][0] == again["access"][0] == 0o700
    assert again["keys/mercy.key"] == (0o600, b"secret\n")
    ledger = sqlite3.connect(restored.home / "ledger" / "ledger.sqlite")
    assert ledger.execute("SELECT number FROM entry").fetchall() == [(7,)]
    ledger.close()


def test_a_key_is_private_after_a_restore_even_if_it_was_not_before(bed: Bed) -> None:
    bed.put("keys/loose.key", b"secret", 0o644)
    bed.create()
    bed.restore()

    assert (bed.folder / "again" / "keys" / "loose.key").stat().st_mode & 0o077 == 0


def test_the_next_backup_of_a_restored_region_stores_only_what_is_new(bed: Bed) -> None:
    bed.create()
    home = bed.restore().home
    shutil.rmtree(bed.home)
    home.rename(bed.home)
    bed.put("landing/mercy/batch-000003/manifest.json", b"{}")

    assert bed.create().manifest.stored < 30_000


def test_an_earlier_backup_can_be_chosen(bed: Bed) -> None:
    bed.create()
    bed.put("landing/mercy/site.json", b'{"later":1}')
    bed.create()

    first = backups(bed.target)[0]
    restore(bed.target, first, bed.identities, bed.folder / "then")

    assert (bed.folder / "then" / "landing" / "mercy" / "site.json").read_bytes() == b"{}"


def test_only_an_empty_home_is_restored_into(bed: Bed) -> None:
    bed.create()
    (bed.folder / "again").mkdir()
    (bed.folder / "again" / "something").touch()
    with pytest.raises(Conflict, match="not empty"):
        bed.restore()
    (bed.folder / "again" / "something").unlink()

    assert bed.restore().files > 5


def test_another_identity_is_refused_and_said(bed: Bed) -> None:
    bed.create()
    bed.identity.write_text(new_identity(NOW)[0])
    with pytest.raises(VerificationFailed, match="other recipients"):
        bed.restore()

    assert not (bed.folder / "again").exists()


@pytest.mark.parametrize("content", ["", "# only a comment\n", "AGE-SECRET-KEY-1NONSENSE\n", "\xff", "age1abc\n"])
def test_a_file_that_is_no_identity_is_refused_and_never_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "identity"
    path.write_text(content)
    with pytest.raises(BadInput) as refusal:
        read_identities(path)
    assert "NONSENSE" not in str(refusal.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_puts_nothing_in_place(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: object, at: int) -> int:
        with open("/dev/full", "wb", buffering=0) as device:
            return device.write(b"x")

    bed.create()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageError, match="the disk is full"):
            bed.restore()
    assert sorted(path.name for path in bed.folder.iterdir()) == ["home", "identity", "target"]
    assert bed.restore().files > 5


def test_an_older_backup_learns_from_the_newest_what_was_erased_since(bed: Bed) -> None:
    bed.create()
    lists = {"landing/mercy/erased": bytes(32), "keys/erased.key": b"ab\n", "landing/new/erased": bytes(16)}
    for path, content in lists.items():
        bed.put(path, content)
    bed.create()

    old = restore(bed.target, backups(bed.target)[0], bed.identities, bed.folder / "again")

    assert old.erasures_known
    assert (old.home / "landing/mercy/erased").read_bytes() == bytes(32)
    assert (old.home / "keys/erased.key").read_bytes() == b"ab\n"
    assert (old.home / "keys/erased.key").stat().st_mode & 0o777 == 0o600
    assert not (old.home / "landing/new").exists()


def test_a_newest_backup_for_others_cannot_be_asked_and_that_is_told(bed: Bed) -> None:
    bed.create()
    _, other = new_identity(NOW)
    create(bed.plan(recipients=[other]), bed.target)

    old = restore(bed.target, backups(bed.target)[0], bed.identities, bed.folder / "again")

    assert not old.erasures_known
