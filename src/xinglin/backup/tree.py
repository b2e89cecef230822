"""The parts of a region's home in a backup, and their order.

Referring files are read before the files that they refer to: the ledger before batches, tables before landed resources.
So a backup contains everything that it refers to, even while the region is in use.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.lake import Lake

__all__ = ["NEVER", "Part", "SourceFile", "names_of", "parts"]

NEVER = frozenset({"priv_validator_state.json"})
"""Names that are never stored or restored: a validator that loses its last vote could sign twice."""

_DERIVED = frozenset({"backup", "jobs", "tmp"})
_OWN_PLACE = frozenset({"access", "keys", "lake", "landing", "ledger", "xinglin.toml"})
_ERASURES = frozenset({".erasure", "tombstones"})
"""Erasures in progress, which continue after a restore, and tombstones of completed ones."""
_SQLITE = b"SQLite format 3\x00"
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class SourceFile:
    """A file or folder.

    Args:
        path: Path relative to the home, with ``/``.
        status: Status when it was listed.
        database: Whether it is a SQLite database, copied by SQLite.
    """

    path: str
    status: os.stat_result
    database: bool = False

    @property
    def folder(self) -> bool:
        """Whether this is a folder."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def file(self) -> bool:
        """Whether this is a regular file; links, sockets and pipes are neither file nor folder."""
        return stat.S_ISREG(self.status.st_mode)


@dataclass(frozen=True)
class Part:
    """Files that are read together.

    Args:
        name: Name in messages.
        find: Lists the files.
        mark: A value that must be the same before and after reading, otherwise the files are read again; by default
            their names.
    """

    name: str
    find: Callable[[], list[SourceFile]]
    mark: Callable[[], object] | None = None

    def state(self) -> object:
        """The value that is compared before and after reading."""
        return self.mark() if self.mark else names_of(self.find())


def parts(settings: Settings, lake: Lake, with_mart: bool = False) -> list[Part]:
    """All parts of a backup, in order.

    Args:
        settings: Settings of the region.
        lake: Its lake.
        with_mart: Include the mart, which can also be built again.
    """
    home = settings.home
    stages = ("mart", "identity", "vocabulary") if with_mart else ("identity", "vocabulary")
    tables = [] if settings.storage.url else [Part(name, partial(_stage, home, lake, name), _none) for name in stages]
    return [
        Part("ledger", partial(_ledger, home)),
        Part("access", partial(_access, home)),
        *tables,
        Part("others", partial(_others, home)),
        Part("spool", partial(_spools, home)),
        Part("landing", partial(_landing, home), partial(_erasures, home)),
        Part("keys", partial(_walk, home, "keys")),
        Part("settings", partial(_named, home, ["xinglin.toml"])),
    ]


def names_of(found: Iterable[SourceFile]) -> frozenset[tuple[str, int]]:
    """Names and inodes, which detect renamed and replaced files."""
    return frozenset((one.path, one.status.st_ino) for one in found)


def _walk(home: Path, root: str, leave: Callable[[str], bool] = lambda path: False) -> list[SourceFile]:
    """All files below a folder, ordered by path; hidden names are temporary and left out."""
    found = []
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(home / path) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
            found += _one(home, path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        names = {entry.name for entry in entries}
        for entry in entries:
            below = f"{path}/{entry.name}"
            if (
                (entry.name.startswith(".") and entry.name not in _ERASURES)
                or entry.name in NEVER
                or _beside(entry.name, names)
                or leave(below)
            ):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(below)
            else:
                found += _one(home, below)
    return sorted(found, key=lambda one: one.path)


def _one(home: Path, path: str) -> list[SourceFile]:
    try:
        status = (home / path).lstat()
        kept = not path.startswith(("landing/", "lake/")) and stat.S_ISREG(status.st_mode)
        return [SourceFile(path, status, kept and _is_database(home / path))]
    except FileNotFoundError:
        return []


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _beside(name: str, names: set[str]) -> bool:
    """Whether this is an auxiliary file of a SQLite database; the copy of the database includes it."""
    return any(name.endswith(end) and name.removesuffix(end) in names for end in _BESIDE_SQLITE)


def _named(home: Path, paths: Iterable[str]) -> list[SourceFile]:
    return [one for path in paths for one in _one(home, path)]


def _ledger(home: Path) -> list[SourceFile]:
    """The ledger; for a validator without chain and state, which it gets again from the other nodes.

    A node starts only with both or neither of them, and its record of votes must not be restored.
    """
    validator = (home / "ledger" / "node" / "config").is_dir()
    given_again = ("ledger/node/data", "ledger/ledger.sqlite")
    return _walk(home, "ledger", lambda path: validator and path in given_again)


def _access(home: Path) -> list[SourceFile]:
    """Consents and audit logs; log sizes are read after the seals that cover them."""
    found = _walk(home, "access")
    logs = [one.path for one in found if _is_log(one.path)]
    return [one for one in found if not _is_log(one.path)] + _named(home, logs)


def _is_log(path: str) -> bool:
    return path.rpartition("/")[2].startswith("events-")


def _stage(home: Path, lake: Lake, stage: str) -> list[SourceFile]:
    """A stage: the snapshot pointer and all files that it names."""
    snapshot = lake.snapshot(stage)
    pointer = f"lake/{stage}/_snapshot.json"
    found = _named(home, [pointer])
    if snapshot is None or not found:
        return []
    files = sorted(f"lake/{stage}/{table}/{file.path}" for table, listed in snapshot.tables.items() for file in listed)
    named = _named(home, files)
    if len(named) != len(files) or lake.snapshot(stage) != snapshot:
        # Another snapshot was published in the meantime, and files of this one are being deleted.
        return _stage(home, lake, stage)
    return found + named


def _others(home: Path) -> list[SourceFile]:
    """Other files in the home, from later versions or users."""
    with os.scandir(home) as listed:
        names = sorted(entry.name for entry in listed)
    own = [name for name in names if name not in _DERIVED | _OWN_PLACE and not name.startswith(".")]
    return [one for name in own for one in (_walk(home, name) or _named(home, [name]))]


def _site_names(home: Path) -> list[str]:
    return sorted(path.parent.name for path in (home / "landing").glob("*/site.json"))


def _spools(home: Path) -> list[SourceFile]:
    return [one for name in _site_names(home) for one in _walk(home, f"landing/{name}/spool")]


def _landing(home: Path) -> list[SourceFile]:
    """Site files, batches, then the remaining files, because batches refer to originals and mappings."""
    names = _site_names(home)
    folders = ["landing", *(f"landing/{name}" for name in names)]
    found = _named(home, [*folders, *(f"landing/{name}/site.json" for name in names)])
    for name in names:
        found += [one for path in _batch_paths(home, name) for one in _walk(home, path)]
    for name in names:
        done = tuple(f"landing/{name}/{one}" for one in ("batch-", "spool", "index", "site.json"))
        rest = _walk(home, f"landing/{name}", lambda path, done=done: path.startswith(done))  # type: ignore[misc]
        found += [one for one in rest if one.path != f"landing/{name}"]
    return found


def _batch_paths(home: Path, site: str) -> Iterator[str]:
    """All batches up to the last one listed; listing a growing folder may miss one in between."""
    numbers = [int(path.name[6:]) for path in (home / "landing" / site).glob("batch-*") if path.name[6:].isdigit()]
    return (f"landing/{site}/batch-{number:06d}" for number in range(1, max(numbers, default=0) + 1))


def _erasures(home: Path) -> object:
    """Completed and running erasures: only they change a batch."""
    folders = (f"landing/{name}/{folder}" for name in _site_names(home) for folder in _ERASURES)
    return names_of(one for folder in folders for one in _walk(home, folder))


def _none() -> object:
    """Files named by their content never change."""
    return None
