"""Write one stream of the audit log: append, seal, recover after a crash."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from xinglin.access.audit.append_only import open_file, truncate_partial_line, write_all
from xinglin.access.audit.recorded import micros_of
from xinglin.access.audit.segments import (
    ENTRY,
    NO_PERSON,
    Seal,
    entries_of,
    events_file,
    last_seal,
    person_of,
    seals_of,
    unsealed,
)
from xinglin.core.errors import StorageError
from xinglin.core.fhir_times import instant
from xinglin.core.files import full_disk, sync_folder
from xinglin.core.merkle import leaf_hash, root_of

__all__ = ["MAX_EVENTS", "SECOND", "Micros", "Stream", "claim", "claim_folder", "wall_micros"]

Micros = Callable[[], int]
"""Clock: the current time in microseconds since 1970."""

SECOND = 1_000_000
MAX_EVENTS = 4096
"""Maximum number of events in a segment; keeps a proof within a few milliseconds."""
_MAX_FILE = 64 * 1024 * 1024


def wall_micros() -> int:
    """The current time in microseconds since 1970."""
    return time.time_ns() // 1000


def claim(folder: Path, micros: Micros) -> Stream:
    """Lock a stream for writing: one without a writer, or a new one.

    Args:
        folder: The audit log's folder.
        micros: Clock, in microseconds since 1970.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(folder.parent)
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (stream := claim_folder(path, micros)):
            return stream
    path = folder / secrets.token_hex(16)
    path.mkdir(mode=0o700)
    sync_folder(folder)
    return claim_folder(path, micros) or claim(folder, micros)


def claim_folder(folder: Path, micros: Micros) -> Stream | None:
    """Lock the stream of a folder; None if another process writes it.

    Args:
        folder: The stream's folder.
        micros: Clock, in microseconds since 1970.
    """
    lock = open_file(folder / "lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return Stream(folder, lock, micros)


class Stream:
    """Appends events. Appended events survive the end of the process, flushed events a power failure.

    Args:
        folder: The stream's folder.
        lock: Descriptor of its lock, held.
        micros: Clock, in microseconds since 1970.
    """

    def __init__(self, folder: Path, lock: int, micros: Micros) -> None:
        self.folder = folder
        self._lock, self._micros = lock, micros
        self._mutex, self._flushing = threading.RLock(), threading.Lock()
        self._lost = False
        self._name = folder.name
        self._second, self._stamp = -1, b""
        self._opening = b'{"resourceType":"AuditEvent","id":"%s-' % folder.name.encode()
        self._seals = open_file(folder / "seals", os.O_APPEND)
        self._index = open_file(folder / "index", os.O_APPEND)
        self._previous = last_seal(folder)
        truncate_partial_line(folder / "seals")
        self._catch_up()
        self._sealed, self._indexed = os.fstat(self._seals).st_size, os.fstat(self._index).st_size
        self._unindexed: list[bytes] = []
        self._events = self._file = -1
        self._start = self._end = self._number = self._flushed = 0
        self._first = self._last = 0
        self._leaves: list[bytes] = []
        self._entries: list[bytes] = []
        self._begin_segment()
        self._recover()
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def append(self, text: bytes, person: bytes = NO_PERSON) -> str:
        """Append one event; `flush` writes it to disk.

        Args:
            text: The event's JSON text after its time, including the last brace.
            person: The 16 bytes of the person's pseudonym in the text.

        Returns:
            The event's id.

        Raises:
            StorageError: The write failed.
        """
        with self._mutex:
            if self._lost:
                raise self._broken()
            now = self._micros()
            if now < self._last:
                now = self._last
            count = len(self._leaves)
            if count and (now - self._first > SECOND or count >= MAX_EVENTS):
                self.seal()
                count = 0
            second, fraction = divmod(now, SECOND)
            if second != self._second:
                # Without the six fractional digits and the Z.
                self._second, self._stamp = second, instant(now)[:-7].encode()
            number = self._number + count
            event = b'%s%d","recorded":"%s%06dZ",%s' % (self._opening, number, self._stamp, fraction, text)
            self._keep(event + b"\n")
            if not count:
                self._first = now
            self._last = now
            self._note(event, person)
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, name="audit-seals", daemon=True)
                self._ticker.start()
            return f"{self._name}-{number}"

    def flush(self, number: int | None = None) -> None:
        """Wait until an event is on disk; calls during a flush share the next one.

        Args:
            number: The event's number in the stream; by default all events so far.

        Raises:
            StorageError: The flush failed.
        """
        if number is None:
            with self._mutex:
                number = self._number + len(self._leaves) - 1
        if number < self._flushed:
            return
        with self._flushing:
            if number < self._flushed:
                return
            with self._mutex:
                end = self._number + len(self._leaves)
                # Sealing a segment in the meantime may close the file.
                events = os.dup(self._events)
            try:
                self._to_disk(events)
            finally:
                os.close(events)
            with self._mutex:
                self._flushed = max(self._flushed, end)

    def seal(self) -> Seal | None:
        """Seal the current segment and flush it to disk; None if it has no events."""
        with self._mutex:
            if not self._leaves:
                return None
            before = self._previous
            seal = Seal(
                segment=before.segment + 1 if before else 0,
                file=self._file,
                start=self._start,
                end=self._end,
                number=self._number,
                count=len(self._leaves),
                first=self._first,
                last=self._last,
                root=root_of(self._leaves).hex(),
                previous=before.digest() if before else "",
            )
            line = seal.line() + b"\n"
            self._to_disk(self._events)
            self._flushed = max(self._flushed, seal.number + seal.count)
            with full_disk(self.folder):
                # An earlier attempt may have written a part of the line.
                os.ftruncate(self._seals, self._sealed)
                write_all(self._seals, line)
                os.fdatasync(self._seals)
            self._sealed += len(line)
            self._previous = seal
            self._unindexed += self._entries
            self._begin_segment()
            self._write_index()
            return seal

    def close(self) -> None:
        """Seal and release the lock."""
        self._stop.set()
        with self._mutex:
            self.seal()
            for descriptor in (self._events, self._seals, self._index, self._lock):
                os.close(descriptor)

    def _keep(self, line: bytes) -> None:
        try:
            write_all(self._events, line)
        except OSError as error:
            # Nothing may follow a partial line.
            os.ftruncate(self._events, self._end)
            with full_disk(self.folder):
                raise error

    def _to_disk(self, events: int) -> None:
        try:
            with full_disk(self.folder):
                os.fdatasync(events)
        except OSError as error:
            # After a failed fsync the kernel marks the pages clean, so a later flush would succeed without the data.
            self._lost = True
            raise self._broken() from error

    def _broken(self) -> StorageError:
        remedy = "check the disk, then restart; no access was permitted that is not in the log"
        return StorageError("the disk failed to store a part of the audit log", source=self._name, remedy=remedy)

    def _write_index(self) -> None:
        """Extend the index; after a failure the next seal retries, and readers use the events."""
        content = b"".join(self._unindexed)
        try:
            os.ftruncate(self._index, self._indexed)
            write_all(self._index, content)
        except OSError:
            return
        self._indexed += len(content)
        self._unindexed = []

    def _tick(self) -> None:
        while not self._stop.wait(0.25):
            # The next append reports a full disk; this thread only retries.
            with self._mutex, suppress(OSError, StorageError):
                if not self._stop.is_set() and self._leaves and self._micros() - self._first >= SECOND:
                    self.seal()

    def _note(self, text: bytes, person: bytes) -> None:
        leaf = leaf_hash(text)
        self._leaves.append(leaf)
        self._entries.append(ENTRY.pack(person, self._file, len(text), self._end, leaf))
        self._end += len(text) + 1

    def _begin_segment(self) -> None:
        before = self._previous
        self._leaves, self._entries = [], []
        self._number = before.number + before.count if before else 0
        file, start = (before.file, before.end) if before else (0, 0)
        if start >= _MAX_FILE:
            file, start = file + 1, 0
        if self._events < 0 or file != self._file:
            if self._events >= 0:
                os.close(self._events)
            self._events = open_file(events_file(self.folder, file), os.O_APPEND)
            sync_folder(self.folder)
        self._file, self._start, self._end = file, start, start
        self._first, self._last = 0, before.last if before else 0

    def _recover(self) -> None:
        """Seal the events of an ended process; truncate a partial line, which no decision was returned for."""
        truncate_partial_line(events_file(self.folder, self._file))
        for _, _, text in unsealed(self.folder, self._previous):
            moment = micros_of(text)
            self._first = self._first or moment
            self._last = moment
            self._note(text, person_of(text))
        self.seal()

    def _catch_up(self) -> None:
        """Extend the index to the last seal."""
        total = self._previous.number + self._previous.count if self._previous else 0
        size = os.fstat(self._index).st_size
        if size == total * ENTRY.size:
            return
        covered = min(size // ENTRY.size, total)
        os.ftruncate(self._index, covered * ENTRY.size)
        for seal in seals_of(self.folder):
            if seal.number + seal.count > covered:
                entries = entries_of(self.folder, seal)[max(0, covered - seal.number) :]
                write_all(
                    self._index,
                    b"".join(ENTRY.pack(one.person, one.file, one.length, one.offset, one.leaf) for one in entries),
                )
