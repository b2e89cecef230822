"""Spool of live feeds: messages and objects are durable here before they are acknowledged, until they are landed.

A spool belongs to one feed of one site. It is a sequence of numbered segments, of which the last is open. A closed
segment is landed as a batch under a name with its number, and deleted afterwards. Manifests contain these names, so a
segment that was landed just before a crash is recognised and landed only once.
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

__all__ = ["MessageSpool", "ObjectSpool", "Segment", "Spool", "SpoolLimits", "journal", "messages", "segment_number"]

_HEAD = Struct("<4sII")
_MARK = b"XLR1"
_NUMBER = re.compile(r"(mllp|dicom)-(\d{8})").match


@dataclass(frozen=True)
class SpoolLimits:
    """Limits for what waits to be landed.

    Args:
        limit: Maximum of waiting bytes.
        reserve: Bytes that stay free on the disk, so that waiting segments can still be landed.
        segment: Size in bytes at which a segment is closed.
    """

    limit: int = 1_000_000_000
    reserve: int = 100_000_000
    segment: int = 7_000_000


@dataclass(frozen=True)
class Segment:
    """A closed segment.

    Args:
        path: Its journal (messages) or its folder (objects).
        number: Its number within the feed.
        bytes: Approximate size.
        count: Number of messages or objects; -1 if an earlier process wrote it.
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
    """Messages as records of a journal: mark, length, CRC-32, content.

    Example:
        >>> [found for found in messages(journal([b"one", b"two"])[:-1])]
        [b'one']
    """
    return b"".join(
        piece for content in contents for piece in (_HEAD.pack(_MARK, len(content), zlib.crc32(content)), content)
    )


def messages(data: bytes) -> Iterator[bytes]:
    """The complete messages of a journal.

    A truncated or damaged record is skipped and reading continues at the next mark: a record that a crash truncated
    was never acknowledged, and a damaged one must not hide the records after it.
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
    """Segments of one feed; its methods are thread-safe.

    Args:
        folder: ``spool`` of the site; created with mode 700 if it is missing.
        feed: ``mllp`` or ``dicom``.
        landed: Number of the last segment of the feed that was landed.
        limit: Maximum of waiting bytes.
        limits: Limits for waiting bytes and for the size of a segment.
    """

    def __init__(self, folder: Path, feed: str, landed: int, limits: SpoolLimits) -> None:
        self.folder = folder
        self.feed = feed
        self.limits = limits
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
        """The segments waiting to be landed, oldest first."""
        with self._lock:
            return [self._closed[number] for number in sorted(self._closed)]

    def landed(self, segment: Segment) -> None:
        """Forget a segment that was landed and deleted."""
        with self._lock:
            self._closed.pop(segment.number)
            self.waiting -= segment.bytes

    def has_room(self, size: int) -> bool:
        """Whether this many more bytes may wait."""
        return self.waiting + self.open_bytes + size <= self.limits.limit

    def rotate(self) -> None:
        """Close the open segment unless it is empty."""
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
            "a received message or object cannot be stored, so it is not acknowledged; the sender keeps it",
            source=str(self.folder),
            remedy="free disk space",
            retry=True,
        )


class MessageSpool(Spool):
    """Messages in journals; many become durable by one flush.

    Example:
        >>> import tempfile
        >>> spool = MessageSpool(Path(tempfile.mkdtemp()) / "spool", "mllp", 0, SpoolLimits(reserve=0))
        >>> spool.append([b"MSH|one", b"MSH|two"])
        >>> spool.rotate()
        >>> [(segment.path.name, segment.count) for segment in spool.closed()]
        [('mllp-00000001.journal', 2)]
    """

    _file: int | None = None

    def append(self, contents: Sequence[bytes]) -> None:
        """Write messages and flush once; they are durable on return.

        Raises:
            StorageError: They cannot be stored; none of them is.
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
        """Truncate unacknowledged data; never write again to a file whose flush failed."""
        if self._file is not None:
            try:
                os.ftruncate(self._file, self.open_bytes)
                os.fdatasync(self._file)
            except OSError:
                pass  # the unacknowledged end is landed too; when the sender repeats it, it is a duplicate
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
    """Objects, one file each; a segment is a folder."""

    def take(self, received: Path) -> None:
        """Move a received file on the same disk into the spool; it is durable on return.

        Raises:
            StorageError: It cannot be stored and remains where it was.
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
