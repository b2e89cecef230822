"""Which backups a region made, so that their roots can be anchored whenever the ledger answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from xinglin.backup.format.manifest import Manifest
from xinglin.core.files import write_atomic

__all__ = ["Made", "made", "note", "pending"]


@dataclass(frozen=True)
class Made:
    """A backup as the ledger is told of it.

    Args:
        repository: The name under which it is anchored: each new backup of it follows the one before.
        sequence: Its number.
        root: Its root, in hex.
    """

    repository: str
    sequence: int
    root: str


def note(home: Path, manifest: Manifest) -> None:
    """Remember that a backup was made, or that the region was restored from it."""
    one = Made(manifest.repository, manifest.sequence, manifest.root)
    listed = [*(each for each in made(home) if each != one), one]
    (home / "backup").mkdir(mode=0o700, exist_ok=True)
    content = "".join(json.dumps(asdict(each), sort_keys=True) + "\n" for each in listed)
    write_atomic(_path(home), content.encode(), mode=0o600)


def made(home: Path) -> list[Made]:
    """All that are remembered, oldest first."""
    if not _path(home).is_file():
        return []
    return [Made(**json.loads(line)) for line in _path(home).read_text().splitlines()]


def pending(listed: Sequence[Made], current: str | None) -> list[Made]:
    """Which are still to be anchored.

    Args:
        listed: Backups of one repository, oldest first.
        current: The root that the ledger has for the repository, in hex; None for none.

    Example:
        >>> two = [Made("r", 1, "aa"), Made("r", 2, "bb")]
        >>> [one.sequence for one in pending(two, "aa")], pending(two, "bb")
        ([2], [])
    """
    roots = [one.root for one in listed]
    if current is None:
        return list(listed)
    if current in roots:
        return list(listed[roots.index(current) + 1 :])
    # The ledger knows one that this machine has forgotten; what came between them is anchored by the newest.
    return list(listed[-1:])


def _path(home: Path) -> Path:
    return home / "backup" / "made.jsonl"
