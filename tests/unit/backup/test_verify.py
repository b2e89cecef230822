"""Whatever is changed at the target is found, and named."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from tests.unit.backup.conftest import Bed
from xinglin.backup import Manifest, backups, prune, repository_of, verify
from xinglin.backup.format.manifest import root_over
from xinglin.core.errors import BadInput, UsageError, VerificationFailed, XinglinError


def files(bed: Bed) -> list[Path]:
    return sorted(path for path in (bed.folder / "target").rglob("*") if path.is_file() and path.name != ".lock")


def check_all(bed: Bed) -> None:
    for manifest in backups(bed.target):
        verify(bed.target, manifest)


def test_a_good_backup_passes_with_and_without_an_identity(bed: Bed) -> None:
    manifest = bed.create().manifest

    assert not verify(bed.target, manifest).opened
    report = verify(bed.target, manifest, bed.identities)
    assert report.opened
    assert report.bytes == manifest.size == sum(path.stat().st_size for path in files(bed) if "objects" in path.parts)


def test_a_flipped_bit_in_any_object_or_manifest_is_found_without_an_identity(bed: Bed) -> None:
    bed.create()
    bed.put("landing/mercy/batch-000003/manifest.json", b"{}")
    bed.create()
    found = [path for path in files(bed) if "keys" not in path.parts]
    assert len(found) >= 5
    for path in found:
        content = path.read_bytes()
        for at in {0, len(content) // 2, len(content) - 1}:
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            with pytest.raises(VerificationFailed, match=path.name):
                check_all(bed)
        path.write_bytes(content)
    check_all(bed)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_restore_names_what_is_damaged_and_puts_nothing_in_place(bed: Bed, damage: str) -> None:
    manifest = bed.create().manifest
    for path in files(bed):
        content = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            middle = len(content) // 2
            end = b"" if damage == "cut" else bytes([content[middle] ^ 128]) + content[middle + 1 :]
            path.write_bytes(content[:middle] + end)
        if damage == "gone" and "backups" in path.parts:
            assert backups(bed.target) == []
        else:
            with pytest.raises(XinglinError) as refusal:
                bed.restore()
            assert path.name.split(".")[0] in str(refusal.value)
        assert not (bed.folder / "again").exists()
        path.write_bytes(content)
    assert bed.restore().manifest == manifest


def test_the_first_bad_object_is_named(bed: Bed) -> None:
    bed.put("landing/mercy/originals/ef56.zst", os.urandom(30_000_000))
    manifest = bed.create().manifest
    for name in manifest.names[1:4]:
        path = bed.folder / "target" / "objects" / name[:2] / f"{name}.age"
        path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(VerificationFailed, match=manifest.names[1]):
        verify(bed.target, manifest)


def test_a_manifest_that_somebody_else_made_is_refused_by_who_can_read_it(bed: Bed) -> None:
    honest = bed.create().manifest
    names = honest.names[::-1]
    forged = dataclasses.replace(honest, objects=honest.objects[::-1], root=root_over(names))

    verify(bed.target, forged)
    with pytest.raises(VerificationFailed, match="seal of the manifest"):
        verify(bed.target, forged, bed.identities)


def test_a_root_that_is_not_that_of_the_objects_is_refused(bed: Bed) -> None:
    forged = dataclasses.replace(bed.create().manifest, root="00" * 32)
    with pytest.raises(VerificationFailed, match="root"):
        verify(bed.target, forged)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"format":"xinglin backup 2"}', b'{"format":"xinglin backup 1"}']
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        Manifest.read(data, "here")


def test_a_manifest_has_one_form_only(bed: Bed) -> None:
    manifest = bed.create().manifest

    assert Manifest.read(manifest.content, "here") == manifest
    with pytest.raises(BadInput):
        Manifest.read(manifest.content + b"\n", "here")


def test_pruning_keeps_what_the_remaining_backups_need(bed: Bed) -> None:
    for number in range(3, 6):
        bed.put(f"landing/mercy/batch-{number:06d}/Patient-00000.parquet", os.urandom(50_000))
        bed.create()
    left = bed.folder / "target" / "objects" / "ab" / f"ab{'0' * 62}.age"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"of a backup that was killed")

    with pytest.raises(UsageError, match="another region"):
        prune(bed.target, 2, repository_of(bytes([1] * 32)))
    assert len(backups(bed.target)) == 3
    ours = repository_of(bytes(32))

    pruned = prune(bed.target, 2, ours)

    assert [name[-6:] for name in pruned.kept] == ["000002", "000003"]
    assert pruned.objects == 2
    assert not left.exists()
    for manifest in backups(bed.target):
        verify(bed.target, manifest, bed.identities)
    assert prune(bed.target, 2, ours).objects == 0
    assert bed.create().manifest.sequence == 4
