"""Backups go to a folder, HDFS (a NameNode, three DataNodes) and S3 (a real server) alike."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tests.unit.backup.conftest import Bed, tree
from tests.unit.backup.conftest import bed as bed
from xinglin.backup import Target, backups, create, prune, repository_of, restore, verify
from xinglin.core.errors import VerificationFailed

_NUMBERS = count()


@pytest.fixture(params=["file", "hdfs", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    name = f"backups-{next(_NUMBERS)}"
    if request.param == "file":
        return Target.at(str(tmp_path / name))
    if request.param == "hdfs":
        return Target.at(f"{request.getfixturevalue('hdfs').url}/{name}", tmp_path / "work")
    secrets = request.getfixturevalue("s3").secrets(tmp_path / "secrets.toml")
    return Target.at(f"s3://lake/{name}", tmp_path / "work", secrets)


def test_a_backup_goes_there_and_comes_back(target: Target, bed: Bed) -> None:
    first = create(bed.plan(), target).manifest
    bed.put("landing/mercy/batch-000003/manifest.json", b"{}")
    second = create(bed.plan(), target).manifest
    restore(target, second, bed.identities, bed.folder / "again")

    assert backups(target) == [first, second]
    assert second.stored < 30_000
    assert verify(target, second, bed.identities).objects == len(second.objects)
    again = tree(bed.folder / "again")
    for path, one in tree(bed.home).items():
        if path.startswith(("landing", "keys", "access")) and path in again:
            assert again[path] == one
    assert again["landing/mercy/batch-000003/manifest.json"][1] == b"{}"


def test_what_is_gone_there_is_named(target: Target, bed: Bed) -> None:
    manifest = create(bed.plan(), target).manifest
    key = next(key for key in target.sizes("objects") if manifest.names[0] in key)
    target.delete([key])

    with pytest.raises(VerificationFailed, match=manifest.names[0]):
        verify(target, manifest)


def test_letting_go_removes_the_backup_and_keeps_fresh_objects_where_others_may_be_writing(
    target: Target, bed: Bed
) -> None:
    create(bed.plan(), target)
    second = create(bed.plan(), target).manifest
    pruned = prune(target, 1, repository_of(bytes(32)))

    assert backups(target) == [second]
    assert pruned.objects == (0 if target.grace else 1)
    verify(target, second, bed.identities)
