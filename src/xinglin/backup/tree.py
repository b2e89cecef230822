"""What of a region's home is backed up, and in which order.

What refers to something is read before what it refers to: the ledger before the batches that it names, tables before
the landed resources that they name. So whatever is named in a backup is in it, while work goes on.
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

__all__ = ["NEVER", "Found", "Part", "names_of", "parts"]

NEVER = frozenset({"priv_validator_state.json"})
"""Names that are never stored and never restored: a validator that forgets what it signed signs twice."""

_DERIVED = frozenset({"backup", "jobs", "tmp"})
_OWN_PLACE = frozenset({"access", "keys", "lake", "landing", "ledger", "xinglin.toml"})
_ERASURES = frozenset({".erasure", "tombstones"})
"""An erasure under way, which goes on after a restore, and the tombstones of those that hold."""
_SQLITE = b"SQLite format 3\x00"
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Found:
    """A file or folder.

    Args:
        path: Relative to the home, with ``/``.
        status: As it was when it was found.
        database: Whether it is to be copied by SQLite.
    """

    path: str
    status: os.stat_result
    database: bool = False

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def file(self) -> bool:
        """Whether it is a regular file; links, sockets and pipes are neither."""
        return stat.S_ISREG(self.status.st_mode)


@dataclass(frozen=True)
class Part:
    """Files that are read together.

    Args:
        name: For messages.
        find: Lists them.
        mark: What must be the same before and after the files were read, or they are read again; the names of the files
            themselves when not given.
    """

    name: str
    find: Callable[[], list[Found]]
    mark: Callable[[], object] | None = None

    def state(self) -> object:
        """What is compared."""
        return self.mark() if self.mark else names_of(self.find())


def parts(settings: Settings, lake: Lake, with_mart: bool = False) -> list[Part]:
    """Everything that is to be stored, in order.

    Args:
        settings: The region's.
        lake: Its tables.
        with_mart: Also what can be built again from the rest.
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


def names_of(found: Iterable[Found]) -> frozenset[tuple[str, int]]:
    """Names and inodes, by which a file that was renamed or replaced is noticed."""
    return frozenset((one.path, one.status.st_ino) for one in found)


def _walk(home: Path, root: str, leave: Callable[[str], bool] = lambda path: False) -> list[Found]:
    """Everything below a folder, in order of paths; hidden names are unfinished and left out."""
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


def _one(home: Path, path: str) -> list[Found]:
    try:
        status = (home / path).lstat()
        kept = not path.startswith(("landing/", "lake/")) and stat.S_ISREG(status.st_mode)
        return [Found(path, status, kept and _is_database(home / path))]
    except FileNotFoundError:
        return []


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _beside(name: str, names: set[str]) -> bool:
    """Whether it is a file that SQLite keeps beside a database; a copy of the database holds what is in it."""
    return any(name.endswith(end) and name.removesuffix(end) in names for end in _BESIDE_SQLITE)


def _named(home: Path, paths: Iterable[str]) -> list[Found]:
    return [one for path in paths for one in _one(home, path)]


def _ledger(home: Path) -> list[Found]:
    """The ledger; of a validator neither the chain nor the state made from it, which the others give it again.

    A node begins anew only with both or neither of them, and its own memory of what it signed must not come back.
    """
    validator = (home / "ledger" / "node" / "config").is_dir()
    given_again = ("ledger/node/data", "ledger/ledger.sqlite")
    return _walk(home, "ledger", lambda path: validator and path in given_again)


def _access(home: Path) -> list[Found]:
    """Consents and audit logs; the lengths of logs are taken after those of the seals over them."""
    found = _walk(home, "access")
    logs = [one.path for one in found if _is_log(one.path)]
    return [one for one in found if not _is_log(one.path)] + _named(home, logs)


def _is_log(path: str) -> bool:
    return path.rpartition("/")[2].startswith("events-")


def _stage(home: Path, lake: Lake, stage: str) -> list[Found]:
    """What a stage shows: the pointer, and every file that it names."""
    snapshot = lake.snapshot(stage)
    pointer = f"lake/{stage}/_snapshot.json"
    found = _named(home, [pointer])
    if snapshot is None or not found:
        return []
    files = sorted(f"lake/{stage}/{table}/{file.path}" for table, listed in snapshot.tables.items() for file in listed)
    named = _named(home, files)
    if len(named) != len(files) or lake.snapshot(stage) != snapshot:
        # Another snapshot was published in between and the files of this one are being removed.
        return _stage(home, lake, stage)
    return found + named


def _others(home: Path) -> list[Found]:
    """What later versions, or people, put beside the folders that are known."""
    with os.scandir(home) as listed:
        names = sorted(entry.name for entry in listed)
    own = [name for name in names if name not in _DERIVED | _OWN_PLACE and not name.startswith(".")]
    return [one for name in own for one in (_walk(home, name) or _named(home, [name]))]


def _site_names(home: Path) -> list[str]:
    return sorted(path.parent.name for path in (home / "landing").glob("*/site.json"))


def _spools(home: Path) -> list[Found]:
    return [one for name in _site_names(home) for one in _walk(home, f"landing/{name}/spool")]


def _landing(home: Path) -> list[Found]:
    """What a site is, its batches, and then whatever else it keeps, since batches name originals and mappings."""
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
    """All batches up to the last one that is seen; reading a folder while it grows may miss one in between."""
    numbers = [int(path.name[6:]) for path in (home / "landing" / site).glob("batch-*") if path.name[6:].isdigit()]
    return (f"landing/{site}/batch-{number:06d}" for number in range(1, max(numbers, default=0) + 1))


def _erasures(home: Path) -> object:
    """Erasures done and under way: the only thing that changes a batch."""
    folders = (f"landing/{name}/{folder}" for name in _site_names(home) for folder in _ERASURES)
    return names_of(one for folder in folders for one in _walk(home, folder))


def _none() -> object:
    """Files that are named by their content need no second look."""
    return None
