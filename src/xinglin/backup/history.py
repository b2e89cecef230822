"""The history of a region's backups, from which their roots are anchored when the ledger is available."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from xinglin.backup.format.manifest import Manifest
from xinglin.core.files import write_atomic

__all__ = ["BackupRecord", "pending", "record_backup", "recorded_backups"]


@dataclass(frozen=True)
class BackupRecord:
    """A backup to anchor on the ledger.

    Args:
        repository: Name under which it is anchored; each backup follows the previous one.
        sequence: Number of the backup.
        root: Root in hex.
    """

    repository: str
    sequence: int
    root: str


def record_backup(home: Path, manifest: Manifest) -> None:
    """Record that a backup was created, or that the region was restored from it."""
    one = BackupRecord(manifest.repository, manifest.sequence, manifest.root)
    listed = [*(each for each in recorded_backups(home) if each != one), one]
    (home / "backup").mkdir(mode=0o700, exist_ok=True)
    content = "".join(json.dumps(asdict(each), sort_keys=True) + "\n" for each in listed)
    write_atomic(_path(home), content.encode(), mode=0o600)


def recorded_backups(home: Path) -> list[BackupRecord]:
    """All recorded backups, oldest first."""
    if not _path(home).is_file():
        return []
    return [BackupRecord(**json.loads(line)) for line in _path(home).read_text().splitlines()]


def pending(listed: Sequence[BackupRecord], current: str | None) -> list[BackupRecord]:
    """Backups that are not anchored yet.

    Args:
        listed: Backups of one repository, oldest first.
        current: The repository's root on the ledger, in hex; None if there is none.

    Example:
        >>> two = [BackupRecord("r", 1, "aa"), BackupRecord("r", 2, "bb")]
        >>> [one.sequence for one in pending(two, "aa")], pending(two, "bb")
        ([2], [])
    """
    roots = [one.root for one in listed]
    if current is None:
        return list(listed)
    if current in roots:
        return list(listed[roots.index(current) + 1 :])
    # The ledger has a backup that is not recorded here; the newest backup covers those in between.
    return list(listed[-1:])


def _path(home: Path) -> Path:
    return home / "backup" / "made.jsonl"
