"""The audit log of a region: many streams, each appended to by one process, sealed into segments that are anchored."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xinglin.access.audit import evidence, segments
from xinglin.access.audit.evidence import EventProof
from xinglin.access.audit.instants import micros_of
from xinglin.access.audit.segments import NOBODY, Seal
from xinglin.access.audit.stream import Micros, Stream, attempt, claim, wall_micros
from xinglin.core.errors import NotFound
from xinglin.core.files import write_atomic
from xinglin.ledger.keys import segment_key
from xinglin.ledger.port import Ledger

__all__ = [
    "AuditLog",
    "Unanchored",
]

_STREAM = re.compile(r"[0-9a-f]{32}")
_EVENT = re.compile(r"([0-9a-f]{32})-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Unanchored:
    """A sealed segment that the ledger does not hold yet.

    Args:
        stream: The stream's 32 hex digits.
        seal: The segment's seal.
    """

    stream: str
    seal: Seal

    @property
    def body(self) -> dict[str, object]:
        """The body of the AccessBatch transaction."""
        seal = self.seal
        return {
            "root": bytes.fromhex(seal.root),
            "count": seal.count,
            "first": seal.first,
            "last": seal.last,
            "stream": bytes.fromhex(self.stream),
        }


class AuditLog:
    """Append, read, prove, anchor.

    Args:
        folder: `home/access/audit`.
        micros: The time.
    """

    def __init__(self, folder: Path, micros: Micros = wall_micros) -> None:
        self.folder = folder
        self._micros = micros
        self._stream: Stream | None = None
        self._owner = 0
        self._mutex = threading.Lock()

    def append(self, text: bytes, person: bytes = NOBODY) -> str:
        """Write one event to the operating system; it outlives this process from then on, and a loss of power once
        `flush` has returned.

        Args:
            text: The event's text after its time, to the last brace.
            person: The 16 bytes that the text names as the person it is about.

        Returns:
            The event's id.
        """
        stream = self._stream
        # A forked process has its parent's stream in memory, but must not write to it.
        if stream is None or self._owner != os.getpid():
            with self._mutex:
                if self._stream is None or self._owner != os.getpid():
                    self._stream, self._owner = claim(self.folder, self._micros), os.getpid()
                stream = self._stream
        return stream.append(text, person)

    def flush(self, identifier: str = "") -> None:
        """Return once what this process appended is on the disk.

        Args:
            identifier: The event that must be; all so far when not given.

        Raises:
            StorageError: It cannot be made durable.
        """
        if self._stream is not None and self._owner == os.getpid():
            self._stream.flush(int(identifier.partition("-")[2]) if identifier else None)

    def seal(self) -> None:
        """Seal what this process has written, and what dead processes left unsealed."""
        if self._stream is not None and self._owner == os.getpid():
            self._stream.seal()
        for path in self._streams():
            if next(segments.unsealed(path, segments.last_seal(path)), None) is not None:
                left = attempt(path, self._micros)
                if left is not None:
                    left.close()

    def event(self, identifier: str) -> bytes:
        """One event.

        Args:
            identifier: Its id.

        Raises:
            NotFound: There is none.
        """
        path, number = self._place(identifier)
        return segments.event_at(path, number)

    def events_of(self, person: str) -> list[bytes]:
        """Every event about a person, in the order in which they happened.

        Args:
            person: The 32 hex digits that stand for the person.
        """
        wanted = bytes.fromhex(person)
        found = [event for path in self._streams() for event in segments.events_about(path, wanted)]
        return sorted(found, key=micros_of)

    def emergencies(self) -> list[bytes]:
        """Every event of broken glass, in the order in which they happened."""
        from xinglin.access.audit.event import EMERGENCY

        mark = b'"code":"%s"' % EMERGENCY.encode()
        return sorted((event for event in self.events() if mark in event), key=micros_of)

    def events(self) -> Iterator[bytes]:
        """Every event, stream after stream."""
        for path in self._streams():
            seals = segments.seals_of(path)
            for seal in seals:
                yield from segments.lines_of(path, seal)
            for _, _, line in segments.unsealed(path, seals[-1] if seals else None):
                yield line

    def prove(self, identifier: str) -> EventProof:
        """Prove that an event is in a sealed segment.

        Args:
            identifier: The event's id.

        Raises:
            NotFound: There is none, or it is not sealed yet.
            VerificationFailed: The events are not what was sealed.
        """
        path, number = self._place(identifier)
        return evidence.prove(path, number)

    def unanchored(self, ledger: Ledger) -> list[Unanchored]:
        """Sealed segments that the ledger does not hold, oldest first in each stream.

        Args:
            ledger: The region's ledger.

        Raises:
            LedgerUnavailable: It cannot answer now.
        """
        self.seal()
        found = []
        for path in self._streams():
            done = _anchored(path)
            for seal in segments.seals_of(path)[done:]:
                if ledger.state(segment_key(path.name, seal.root)) is None:
                    found.append(Unanchored(path.name, seal))
                elif seal.segment == done:
                    done += 1
            _note_anchored(path, done)
        return found

    def findings(self, ledger: Ledger | None = None) -> list[str]:
        """What is wrong with the log, each bad item by name; nothing where all is well.

        Args:
            ledger: The ledger to compare with; None compares the log with itself alone.
        """
        found = []
        for path in self._streams():
            wrong = list(evidence.findings(path))
            found += wrong
            if wrong:
                continue
            seals, done = segments.seals_of(path), _anchored(path)
            if len(seals) < done:
                found.append(f"stream {path.name}: segment {len(seals)}, which was anchored, is missing")
            found += [
                f"stream {path.name}, segment {seal.segment}: the ledger holds another root"
                for seal in (seals[:done] if ledger else [])
                if ledger and ledger.state(segment_key(path.name, seal.root)) is None
            ]
        return found

    def close(self) -> None:
        """Seal and close this process's stream."""
        if self._stream is not None and self._owner == os.getpid():
            self._stream.close()
        self._stream = None

    def _streams(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _STREAM.fullmatch(path.name))

    def _place(self, identifier: str) -> tuple[Path, int]:
        found = _EVENT.fullmatch(identifier)
        if found is None or not (self.folder / found[1]).is_dir():
            raise NotFound("the audit log has no such event", remedy="check its identifier")
        return self.folder / found[1], int(found[2])


def _anchored(path: Path) -> int:
    """How many segments from the first on were seen on the ledger."""
    file = path / "anchored"
    return int(file.read_text()) if file.exists() else 0


def _note_anchored(path: Path, done: int) -> None:
    if done > _anchored(path):
        write_atomic(path / "anchored", b"%d\n" % done, mode=0o600)
