"""Putting a region back: everything is checked and written beside the home, and one rename makes it appear."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xinglin.backup.erased_since import carry_erasures
from xinglin.backup.format.known import Known
from xinglin.backup.format.manifest import Manifest
from xinglin.backup.format.sealing import Identities
from xinglin.backup.format.target import Target, object_key
from xinglin.backup.opening import Opened, in_order, open_backup
from xinglin.backup.tree import NEVER
from xinglin.backup.verify import spans_by_object
from xinglin.core.errors import Conflict, VerificationFailed
from xinglin.core.files import exclusive, full_disk, sync_folder

__all__ = ["Restored", "restore"]


@dataclass(frozen=True)
class Restored:
    """What was put back.

    Args:
        home: The region's folder.
        manifest: The backup.
        files: Files.
        bytes: Their bytes.
        head: What the backup says of itself; ``lake`` is the URL of tables that were not in it.
        erasures_known: Whether the newest backup could be asked whom it knows to be erased.
    """

    home: Path
    manifest: Manifest
    files: int
    bytes: int
    head: dict[str, Any]
    erasures_known: bool = True


def restore(
    target: Target,
    manifest: Manifest,
    identities: Identities,
    home: Path,
    workers: int = 2,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Restored:
    """Put a backup into an empty home.

    Args:
        target: Where it is.
        manifest: The backup.
        identities: Of one of its recipients.
        home: Folder that is empty, or not there.
        workers: Objects that are opened at once.
        progress: Told of objects done, and of all.

    Raises:
        Conflict: The home is not empty, or another restore is busy with it.
        VerificationFailed: Names the first object that is not what was stored; the home is as it was.
        StorageError: The disk is full; the home is as it was.
    """
    _empty(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    unfinished = home.with_name(f".{home.name}.restoring")
    lock = home.with_name(f".{home.name}.restoring.lock")
    with exclusive(lock, doing="a restore"), full_disk(home):
        # What a killed restore left behind has no reader.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            opened = open_backup(target, manifest, identities, unfinished)
            _write(opened, unfinished, workers, progress)
            known = carry_erasures(target, manifest, identities, unfinished)
            _remember(opened, unfinished)
            _set_modes(opened, unfinished)
            os.sync()
            _empty(home)
            unfinished.rename(home)
            sync_folder(home.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
            lock.unlink(missing_ok=True)
    return Restored(home, manifest, manifest.files, manifest.length, opened.head, known)


def _empty(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Conflict(
            "a backup is restored into an empty home only",
            source=str(home),
            remedy="name a folder that is empty or not there",
        )


def _write(opened: Opened, root: Path, workers: int, progress: Callable[[int, int], None]) -> None:
    """Write every file; the pieces of an object are checked before any of them is written."""
    paths = [root / entry.path for entry, _ in opened.files]
    for (entry, _), path in zip(opened.files, paths, strict=True):
        if path.name in NEVER:
            raise VerificationFailed("the backup holds a file that must never be restored", source=entry.path)
        (path if entry.folder else path.parent).mkdir(parents=True, exist_ok=True)
        if not entry.folder:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    spans = spans_by_object(opened)

    def one(number: int) -> None:
        plain = opened.plain(number, root)
        where = f"{opened.target.url}/{object_key(opened.manifest.objects[number][0])}"
        for index, at, span in spans.get(number, []):
            piece = opened.piece(plain, span, where)
            handle = os.open(paths[index], os.O_WRONLY | os.O_NOFOLLOW)
            try:
                _put(handle, piece, at)
            finally:
                os.close(handle)

    total = len(opened.manifest.objects) - opened.manifest.catalogue
    for done, _ in enumerate(in_order(one, range(total), workers), 1):
        progress(done, total)


def _put(handle: int, piece: bytes, at: int) -> None:
    rest = memoryview(piece)
    while rest:
        written = os.pwrite(handle, rest, at)
        rest, at = rest[written:], at + written


def _set_modes(opened: Opened, root: Path) -> None:
    """Folders after what is in them; keys are nobody else's, whatever the backup says."""
    for entry, _ in sorted(opened.files, key=lambda one: one[0].path, reverse=True):
        private = entry.path.partition("/")[0] == "keys"
        (root / entry.path).chmod(entry.mode & (0o700 if private else 0o777))


def _remember(opened: Opened, root: Path) -> None:
    """Note what lies at the target, so that the next backup from here stores only what is new."""
    memory = root / "backup" / hashlib.sha256(opened.target.url.encode()).hexdigest()[:16]
    memory.parent.mkdir(mode=0o700, exist_ok=True)
    known = Known(memory, opened.manifest.key)
    known.load({})
    spans = spans_by_object(opened)
    for number, (name, size) in enumerate(opened.manifest.objects):
        pieces, at = [], 0
        for place, digest in sorted({(one.place, one.digest) for _, _, one in spans.get(number, [])}):
            if place.offset > at:
                # Between them lie pieces of other backups, whose names are not known here.
                pieces.append((os.urandom(32), place.offset - at))
            pieces.append((digest, place.length))
            at = place.offset + place.length
        if pieces:
            known.learn(name, size, pieces)
    known.close()
