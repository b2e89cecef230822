"""Restore a region: verify and write everything beside the home, then rename it into place."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xinglin.backup.erased_since import apply_later_erasures
from xinglin.backup.format.manifest import Manifest
from xinglin.backup.format.piece_index import PieceIndex
from xinglin.backup.format.sealing import Identities
from xinglin.backup.format.target import Target, object_key
from xinglin.backup.opening import OpenBackup, in_order, open_backup
from xinglin.backup.tree import NEVER
from xinglin.backup.verify import spans_by_object
from xinglin.core.errors import Conflict, VerificationFailed
from xinglin.core.files import exclusive, full_disk, sync_folder

__all__ = ["Restored", "restore"]


@dataclass(frozen=True)
class Restored:
    """A restored region.

    Args:
        home: The region's folder.
        manifest: The backup.
        files: Number of files.
        bytes: Their total size.
        head: Description of the backup; ``lake`` is the URL of a remote lake, which is not restored.
        erasures_known: Whether the erasure lists of the newest backup could be read.
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
    """Restore a backup into an empty home.

    Args:
        target: The backup target.
        manifest: The backup.
        identities: Private key of one of its recipients.
        home: Folder that is empty or missing.
        workers: Number of objects opened in parallel.
        progress: Called with the number of objects done and their total.

    Raises:
        Conflict: The home is not empty, or another restore is in progress.
        VerificationFailed: Names the first damaged object; the home is unchanged.
        StorageError: The disk is full; the home is unchanged.
    """
    _empty(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    unfinished = home.with_name(f".{home.name}.restoring")
    lock = home.with_name(f".{home.name}.restoring.lock")
    with exclusive(lock, doing="a restore"), full_disk(home):
        # Files of an interrupted restore are not used.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            opened = open_backup(target, manifest, identities, unfinished)
            _write(opened, unfinished, workers, progress)
            known = apply_later_erasures(target, manifest, identities, unfinished)
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
            "the home is not empty",
            source=str(home),
            remedy="restore into an empty or missing folder",
        )


def _write(opened: OpenBackup, root: Path, workers: int, progress: Callable[[int, int], None]) -> None:
    """Write all files; the pieces of an object are verified before they are written."""
    paths = [root / entry.path for entry, _ in opened.files]
    for (entry, _), path in zip(opened.files, paths, strict=True):
        if path.name in NEVER:
            raise VerificationFailed("the backup contains a file that must not be restored", source=entry.path)
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


def _set_modes(opened: OpenBackup, root: Path) -> None:
    """Set modes, folders after their content; keys are private in any case."""
    for entry, _ in sorted(opened.files, key=lambda one: one[0].path, reverse=True):
        private = entry.path.partition("/")[0] == "keys"
        (root / entry.path).chmod(entry.mode & (0o700 if private else 0o777))


def _remember(opened: OpenBackup, root: Path) -> None:
    """Write the piece index, so that the next backup stores only changes."""
    memory = root / "backup" / hashlib.sha256(opened.target.url.encode()).hexdigest()[:16]
    memory.parent.mkdir(mode=0o700, exist_ok=True)
    known = PieceIndex(memory, opened.manifest.key)
    known.load({})
    spans = spans_by_object(opened)
    for number, (name, size) in enumerate(opened.manifest.objects):
        pieces, at = [], 0
        for place, digest in sorted({(one.place, one.digest) for _, _, one in spans.get(number, [])}):
            if place.offset > at:
                # The gap holds pieces of other backups, whose names are unknown here.
                pieces.append((os.urandom(32), place.offset - at))
            pieces.append((digest, place.length))
            at = place.offset + place.length
        if pieces:
            known.add(name, size, pieces)
    known.close()
