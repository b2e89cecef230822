"""Read files while other processes use them, as a consistent state of one moment."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from xinglin.backup.format.catalogue import Entry
from xinglin.backup.format.packing import PIECE, Packer, digest_of
from xinglin.backup.format.piece_index import PieceIndex, Stamp, stamp_of
from xinglin.backup.tree import Part, SourceFile, names_of
from xinglin.core.errors import Conflict, StorageError

__all__ = ["Reader"]

_TRIES = 20
_FRESH = 2_000_000_000
"""Nanoseconds after a change in which a further change may leave the mtime the same."""


class _FileChanged(Exception):
    """A file was renamed or removed between being listed and being read."""


class Reader:
    """Reads the files of one region into a packer.

    Args:
        home: The region's folder.
        secret: The repository's secret.
        packer: Stores new pieces.
        known: Piece index with the stamps of the last backup.
        work: Local folder for copies of databases.
    """

    def __init__(self, home: Path, secret: bytes, packer: Packer, known: PieceIndex, work: Path) -> None:
        self._home, self._secret, self._packer, self._known, self._work = home, secret, packer, known, work
        self._seen: dict[str, tuple[Stamp, tuple[bytes, ...]]] = dict(known.seen)
        self.left_out: list[str] = []
        self.read = 0

    def part(self, part: Part, progress: Callable[[int], None] = lambda files: None) -> list[Entry]:
        """Store the files of a part.

        Growing files are stored up to their size when listed. If files are renamed during reading, the part is read
        again.

        Args:
            part: The part.
            progress: Called with the number of files done.

        Raises:
            Conflict: Files were renamed in every attempt.
        """
        for _ in range(_TRIES):
            before = part.state() if part.mark else None
            found = part.find()
            try:
                entries = [entry for one in found for entry in self._one(one, progress)]
            except _FileChanged:
                continue
            if part.state() == (before if part.mark else names_of(found)):
                self.left_out += [one.path for one in found if not one.folder and not one.file]
                return entries
        raise Conflict(
            "files were renamed while they were read",
            source=part.name,
            remedy="create the backup while no import is running",
            retry=True,
        )

    def save_files(self, entries: list[Entry]) -> None:
        """Save the stamps of these files for the next backup."""
        self._known.seen = {one.path: self._seen[one.path] for one in entries if one.path in self._seen}
        self._known.save_files()

    def _one(self, found: SourceFile, progress: Callable[[int], None]) -> Iterator[Entry]:
        mode = found.status.st_mode & 0o7777
        if found.folder:
            yield Entry(found.path, mode, -1)
        elif found.database:
            copy = self._work / "database"
            copy.unlink(missing_ok=True)
            try:
                _copy_database(self._home / found.path, copy)
                yield self._store(found.path, copy, mode, copy.stat())
            finally:
                copy.unlink(missing_ok=True)
            progress(1)
        elif found.file:
            stamp = stamp_of(found.status)
            before = self._seen.get(found.path)
            if before and before[0] == stamp and all(self._known.place(digest) for digest in before[1]):
                yield Entry(found.path, mode, stamp[0], before[1])
            else:
                entry = self._store(found.path, self._home / found.path, mode, found.status)
                if stamp[1] < time.time_ns() - _FRESH:
                    self._seen[found.path] = (stamp, entry.pieces)
                yield entry
            progress(1)

    def _store(self, path: str, file: Path, mode: int, status: os.stat_result) -> Entry:
        digests = []
        try:
            handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise _FileChanged(path) from error
        with os.fdopen(handle, "rb", buffering=0) as source:
            if os.fstat(handle).st_ino != status.st_ino:
                raise _FileChanged(path)
            left = status.st_size
            while left:
                piece = _exactly(source.read, min(left, PIECE))
                if not piece:
                    # The file was truncated, which Xinglin never does to a file in use.
                    raise _FileChanged(path)
                left -= len(piece)
                digests.append(digest_of(self._secret, piece))
                self._packer.add(digests[-1], piece)
        self.read += status.st_size
        return Entry(path, mode, status.st_size, tuple(digests))


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    """Exactly this number of bytes; empty if the file ends before."""
    data = read(size)
    while data and len(data) < size:
        more = read(size - len(data))
        if not more:
            return b""
        data += more
    return data


def _copy_database(path: Path, copy: Path) -> None:
    """Copy a database as of one commit, with SQLite's online backup; writers continue."""
    try:
        with (
            closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=60)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise StorageError(
            "a database could not be copied",
            source=str(path),
            remedy="check the free disk space and the database",
        ) from error


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))
