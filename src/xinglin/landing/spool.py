"""What live feeds received, durable before it is acknowledged, until it is landed.

A spool belongs to one feed of one site and is a row of segments with growing numbers. The last one is open; a closed
one is landed as a batch under a name that holds its number, and only then removed. Names of landed segments stand in
the manifests, so a segment that was landed just before a crash is recognised and landed once.
"""

from __future__ import annotations

import os
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from xinglin.core.errors import StorageError
from xinglin.core.files import sync_file, sync_folder

__all__ = ["MessageSpool", "ObjectSpool", "Room", "Segment", "Spool", "journal", "messages", "segment_number"]

_HEAD = Struct("<4sII")
_MARK = b"XLR1"
_NUMBER = re.compile(r"(mllp|dicom)-(\d{8})").match


@dataclass(frozen=True)
class Room:
    """How much may wait to be landed.

    Args:
        limit: Most bytes that may wait.
        reserve: Bytes that must stay free on the disk, so that what waits can still be landed.
        segment: Bytes at which a segment is closed.
    """

    limit: int = 1_000_000_000
    reserve: int = 100_000_000
    segment: int = 7_000_000


@dataclass(frozen=True)
class Segment:
    """A closed segment.

    Args:
        path: Its journal, or its folder of objects.
        number: Its number within the feed.
        bytes: About how much it holds.
        count: How many messages or objects; -1 where an earlier process wrote it.
    """

    path: Path
    number: int
    bytes: int
    count: int = -1


def segment_number(name: str) -> tuple[str, int] | None:
    """Feed and number in the name of a segment, or of a file that was landed from one.

    Example:
        >>> segment_number("dicom-00000012-000003.dcm"), segment_number("a.hl7")
        (('dicom', 12), None)
    """
    found = _NUMBER(name)
    return (found[1], int(found[2])) if found else None


def journal(contents: Sequence[bytes]) -> bytes:
    """Messages as records of a journal: mark, length and CRC-32, then the content.

    Example:
        >>> [found for found in messages(journal([b"one", b"two"])[:-1])]
        [b'one']
    """
    return b"".join(
        piece for content in contents for piece in (_HEAD.pack(_MARK, len(content), zlib.crc32(content)), content)
    )


def messages(data: bytes) -> Iterator[bytes]:
    """The whole messages of a journal.

    A record that is cut off or damaged is left out and the search goes on at the next mark: one that a crash cut off
    was never acknowledged, and a damaged one must not take those behind it along.
    """
    at = 0
    while (at := data.find(_MARK, at)) >= 0 and at + _HEAD.size <= len(data):
        _, length, crc = _HEAD.unpack_from(data, at)
        content = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(content) == length and zlib.crc32(content) == crc:
            yield content
            at += _HEAD.size + length
        else:
            at += 1


class Spool:
    """Segments of one feed; the methods of a spool may be called from several threads.

    Args:
        folder: ``spool`` of the site, created when missing with mode 700.
        feed: ``mllp`` or ``dicom``.
        landed: Number of the last segment of the feed that was landed.
        limit: Most bytes that may wait.
        room: How much may wait, and where a segment ends.
    """

    def __init__(self, folder: Path, feed: str, landed: int, room: Room) -> None:
        self.folder = folder
        self.feed = feed
        self.limits = room
        self.waiting = 0
        self._closed: dict[int, Segment] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(folder.glob(f"{feed}-*")):
            found = segment_number(path.name)
            if found and (path.is_dir() or path.suffix == ".journal"):
                self._close(Segment(path, found[1], _size(path)))
        self.number = max([landed, *self._closed]) + 1
        self.open_bytes = self.open_count = 0

    def closed(self) -> list[Segment]:
        """The segments that wait to be landed, oldest first."""
        with self._lock:
            return [self._closed[number] for number in sorted(self._closed)]

    def landed(self, segment: Segment) -> None:
        """Forget a segment that was landed and removed."""
        with self._lock:
            self._closed.pop(segment.number)
            self.waiting -= segment.bytes

    def room(self, size: int) -> bool:
        """Whether so many bytes more may wait."""
        return self.waiting + self.open_bytes + size <= self.limits.limit

    def rotate(self) -> None:
        """Close the open segment, if anything is in it."""
        with self._lock:
            self._rotate()

    def _added(self, size: int, count: int) -> None:
        self.open_bytes += size
        self.open_count += count
        if self.open_bytes >= self.limits.segment:
            self._rotate()

    def _rotate(self) -> None:
        if self.open_count:
            self._close(Segment(self._path(), self.number, self.open_bytes, self.open_count))
            self.number += 1
        self.open_bytes = self.open_count = 0

    def _path(self) -> Path:
        return self.folder / f"{self.feed}-{self.number:08d}"

    def _close(self, segment: Segment) -> None:
        self._closed[segment.number] = segment
        self.waiting += segment.bytes

    def _check_free(self, size: int) -> None:
        free = os.statvfs(self.folder)
        if free.f_bavail * free.f_frsize < self.limits.reserve + size:
            raise self._refused()

    def _refused(self) -> StorageError:
        return StorageError(
            "what was sent cannot be kept, so it is not acknowledged; the sender keeps it",
            source=str(self.folder),
            remedy="free some room",
            retry=True,
        )


class MessageSpool(Spool):
    """Messages in journals, made durable many at a time.

    Example:
        >>> import tempfile
        >>> spool = MessageSpool(Path(tempfile.mkdtemp()) / "spool", "mllp", 0, Room(reserve=0))
        >>> spool.append([b"MSH|one", b"MSH|two"])
        >>> spool.rotate()
        >>> [(segment.path.name, segment.count) for segment in spool.closed()]
        [('mllp-00000001.journal', 2)]
    """

    _file: int | None = None

    def append(self, contents: Sequence[bytes]) -> None:
        """Write messages and flush once; they are durable when this returns.

        Raises:
            StorageError: They cannot be kept; none of them is.
        """
        data = journal(contents)
        with self._lock:
            self._check_free(len(data))
            try:
                self._write(data)
            except OSError as error:
                self._abandon()
                raise self._refused() from error
            self._added(len(data), len(contents))

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self._path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            sync_folder(self.folder)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)

    def _abandon(self) -> None:
        """Cut off what was not acknowledged and write no more to a file whose flush failed."""
        if self._file is not None:
            try:
                os.ftruncate(self._file, self.open_bytes)
                os.fdatasync(self._file)
            except OSError:
                pass  # the unacknowledged end is landed, too: the sender's repetition is then a duplicate
        self._rotate()

    def _rotate(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            if not self.open_count:
                self._path().unlink(missing_ok=True)
        super()._rotate()

    def _path(self) -> Path:
        return super()._path().with_suffix(".journal")


class ObjectSpool(Spool):
    """Objects, each a file of its own, in one folder a segment."""

    def take(self, received: Path) -> None:
        """Take over a file that was received on the same disk; it is durable when this returns.

        Raises:
            StorageError: It cannot be kept and is still where it was.
        """
        try:
            size = received.stat().st_size
            self._check_free(0)
            sync_file(received)
            with self._lock:
                folder = self._path()
                if not self.open_count:
                    folder.mkdir(mode=0o700, exist_ok=True)
                    sync_folder(self.folder)
                received.rename(folder / f"{folder.name}-{self.open_count + 1:06d}.dcm")
                self._added(size, 1)
                sync_folder(folder)
        except OSError as error:
            raise self._refused() from error


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
