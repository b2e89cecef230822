"""A backup or restore that was killed leaves nothing half, and the next one finishes."""

from __future__ import annotations

import os
import random
import shutil

from tests.dying import events, killed, moments
from tests.unit.backup.conftest import Bed
from xinglin.backup import backups, verify

_CREATE = """
import sys
from pathlib import Path
from tests.unit.backup.conftest import Bed

Bed(Path(sys.argv[1]), sys.argv[2]).create()
"""
_RESTORE = _CREATE.replace("create()", "restore()")


def test_a_killed_backup_is_not_listed_and_the_next_one_uses_what_it_stored(bed: Bed) -> None:
    chance = random.Random(3)
    bed.put("landing/mercy/originals/first.zst", chance.randbytes(60_000_000))
    total = events(["-c", _CREATE, bed.folder, bed.public], bed.folder / "events")
    interrupted = 0
    for number, moment in enumerate(moments(total, int(os.environ.get("XINGLIN_KILLS", "4")), seed=3), 1):
        before = backups(bed.target)
        bed.put(f"landing/mercy/originals/{number}.zst", chance.randbytes(60_000_000))
        interrupted += killed(["-c", _CREATE, bed.folder, bed.public], moment)
        # Killed before its last rename it is not there; killed after, it is there wholly.
        assert backups(bed.target)[: len(before)] == before
        for manifest in backups(bed.target):
            verify(bed.target, manifest)
        lying = sum(path.stat().st_size for path in (bed.folder / "target" / "objects").rglob("*.age"))
        created = bed.create()
        verify(bed.target, created.manifest, bed.identities)
        after = sum(path.stat().st_size for path in (bed.folder / "target" / "objects").rglob("*.age"))
        assert created.manifest.stored == after - lying
        # At most what was at work at the moment of the kill is stored twice.
        assert after < created.manifest.length + (number + 1) * 40_000_000
    assert interrupted


def test_a_killed_restore_puts_nothing_in_place_and_the_next_one_finishes(bed: Bed) -> None:
    chance = random.Random(4)
    bed.put("landing/mercy/originals/large.zst", chance.randbytes(100_000_000))
    manifest = bed.create().manifest
    large = (bed.home / "landing/mercy/originals/large.zst").read_bytes()
    restored = bed.folder / "again"
    total = events(["-c", _RESTORE, bed.folder, bed.public], bed.folder / "events")
    shutil.rmtree(restored)
    interrupted = 0
    for moment in moments(total, int(os.environ.get("XINGLIN_KILLS", "4")), seed=4):
        interrupted += killed(["-c", _RESTORE, bed.folder, bed.public], moment)
        # Killed before its last rename nothing is in place; killed after, everything is.
        if restored.exists():
            assert (restored / "landing/mercy/originals/large.zst").read_bytes() == large
            shutil.rmtree(restored)
    assert interrupted
    assert bed.restore().manifest == manifest
    assert not (bed.folder / ".again.restoring").exists()
    assert (restored / "landing/mercy/originals/large.zst").read_bytes() == large
