"""A small handmade home, somewhere to back it up to, and somebody who can read the backups."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xinglin.backup import (
    Created,
    Identities,
    Plan,
    Recipients,
    Restored,
    Target,
    backups,
    create,
    new_identity,
    read_identities,
    restore,
)
from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.lake import Lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = 1_700_000_000


@dataclass(frozen=True)
class Bed:
    """One region and its backups."""

    folder: Path
    public: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def target(self) -> Target:
        return Target.at(str(self.folder / "target"))

    @property
    def identity(self) -> Path:
        return self.folder / "identity"

    @property
    def identities(self) -> Identities:
        return read_identities(self.identity)

    def plan(self, home: Path | None = None, recipients: list[str] | None = None, with_mart: bool = False) -> Plan:
        settings = Settings(home=home or self.home, threads=2)
        lake = Lake(settings.lake, permit=OPEN)
        return Plan(settings, lake, bytes(32), Recipients.of(recipients or [self.public]), fixed_clock(NOW), with_mart)

    def create(self) -> Created:
        return create(self.plan(), self.target)

    def restore(self, to: str = "again") -> Restored:
        return restore(self.target, backups(self.target)[-1], self.identities, self.folder / to)

    def put(self, path: str, content: bytes, mode: int = 0o644) -> Path:
        """Write a file that has been there for long."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)
        os.utime(file, (BEFORE, BEFORE))
        return file


def bed_in(folder: Path) -> Bed:
    """An empty region with its settings."""
    text, public = new_identity(NOW)
    bed = Bed(folder, public)
    bed.home.mkdir()
    bed.identity.write_text(text)
    Settings(home=bed.home).save()
    return bed


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    """A region with a batch, an original, a spool, keys, a ledger and an audit log."""
    bed = bed_in(tmp_path)
    bed.put("landing/mercy/site.json", b"{}")
    for number in (1, 2):
        bed.put(f"landing/mercy/batch-{number:06d}/Patient-00000.parquet", os.urandom(20_000))
        bed.put(f"landing/mercy/batch-{number:06d}/manifest.json", b'{"batch":%d}' % number)
    bed.put("landing/mercy/originals/ab12.zst", os.urandom(6_000_000))
    bed.put("landing/mercy/spool/mllp-00000001", b"acknowledged")
    bed.put("landing/mercy/.batch-000003/half", b"unfinished")
    bed.put("landing/mercy/index/run-1-2-ab", b"derived")
    bed.put("lake/mart/person/a.parquet", b"derived")
    bed.put("keys/mercy.key", b"secret\n", 0o600)
    bed.put("access/audit/stream-1", b"event\n" * 1_000, 0o600)
    (bed.home / "keys").chmod(0o700)
    (bed.home / "access").chmod(0o700)
    (bed.home / "ledger").mkdir()
    with sqlite3.connect(bed.home / "ledger" / "ledger.sqlite") as ledger:
        ledger.execute("PRAGMA journal_mode = WAL")
        ledger.execute("CREATE TABLE entry (number INTEGER)")
        ledger.execute("INSERT INTO entry VALUES (7)")
    ledger.close()
    return bed


def tree(root: Path) -> dict[str, tuple[int, bytes | None]]:
    """Mode and content of everything below a folder; None for folders."""
    return {
        path.relative_to(root).as_posix(): (
            path.stat().st_mode & 0o777,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
    }
