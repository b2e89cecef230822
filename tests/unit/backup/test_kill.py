"""A backup or restore that was killed leaves nothing half, and the next one finishes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.backup.conftest import Bed
from xinglin.backup import backups, verify

_CREATE = """
import sys
from pathlib import Path
from tests.unit.backup.conftest import Bed

Bed(Path(sys.argv[1]), sys.argv[2]).create()
"""
_RESTORE = _CREATE.replace("create()", "restore()")
_REPO = Path(__file__).resolve().parents[3]


def start(code: str, bed: Bed) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, str(bed.folder), bed.public], cwd=_REPO)


def kill(code: str, bed: Bed, begun: Path, after: float) -> bool:
    """Start, kill when so much time has passed since the first file was there; whether it was still at work."""
    child = start(code, bed)
    while not begun.exists() and child.poll() is None:
        time.sleep(0.001)
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    return child.wait() != 0


def test_a_killed_backup_is_not_listed_and_the_next_one_uses_what_it_stored(bed: Bed) -> None:
    chance = random.Random(3)
    interrupted = 0
    for number in range(int(os.environ.get("XINGLIN_KILLS", "4"))):
        before = backups(bed.target)
        bed.put(f"landing/mercy/originals/{number}.zst", chance.randbytes(60_000_000))
        if kill(_CREATE, bed, bed.folder / "target" / ".unfinished", chance.uniform(0.0, 0.5)):
            interrupted += 1
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
    interrupted = 0
    for _ in range(int(os.environ.get("XINGLIN_KILLS", "4"))):
        interrupted += kill(_RESTORE, bed, bed.folder / ".again.restoring", chance.uniform(0.0, 0.5))
        # Killed before its last rename nothing is in place; killed after, everything is.
        if restored.exists():
            assert (restored / "landing/mercy/originals/large.zst").read_bytes() == large
            shutil.rmtree(restored)
    assert interrupted
    assert bed.restore().manifest == manifest
    assert not (bed.folder / ".again.restoring").exists()
    assert (restored / "landing/mercy/originals/large.zst").read_bytes() == large
