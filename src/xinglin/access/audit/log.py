"""The audit log of a region: streams, each written by one process and sealed into segments for the ledger."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xinglin.access.audit import evidence, segments
from xinglin.access.audit.evidence import EventProof
from xinglin.access.audit.recorded import micros_of
from xinglin.access.audit.segments import NO_PERSON, Seal
from xinglin.access.audit.stream import Micros, Stream, claim, claim_folder, wall_micros
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
    """A sealed segment that is not on the ledger yet.

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
    """Append, read, prove and anchor events.

    Args:
        folder: `home/access/audit`.
        micros: Clock, in microseconds since 1970.
    """

    def __init__(self, folder: Path, micros: Micros = wall_micros) -> None:
        self.folder = folder
        self._micros = micros
        self._stream: Stream | None = None
        self._owner = 0
        self._mutex = threading.Lock()

    def append(self, text: bytes, person: bytes = NO_PERSON) -> str:
        """Append one event; it survives the end of the process, and after `flush` also a power failure.

        Args:
            text: The event's JSON text after its time, including the last brace.
            person: The 16 bytes of the person's pseudonym in the text.

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
        """Flush the events of this process to disk.

        Args:
            identifier: Return when this event is on disk; by default all events so far.

        Raises:
            StorageError: The flush failed.
        """
        if self._stream is not None and self._owner == os.getpid():
            self._stream.flush(int(identifier.partition("-")[2]) if identifier else None)

    def seal(self) -> None:
        """Seal the events of this process and those that ended processes left unsealed."""
        if self._stream is not None and self._owner == os.getpid():
            self._stream.seal()
        for path in self._streams():
            if next(segments.unsealed(path, segments.last_seal(path)), None) is not None:
                left = claim_folder(path, self._micros)
                if left is not None:
                    left.close()

    def event(self, identifier: str) -> bytes:
        """Read one event.

        Args:
            identifier: The event's id.

        Raises:
            NotFound: There is no such event.
        """
        path, number = self._place(identifier)
        return segments.event_at(path, number)

    def events_of(self, person: str) -> list[bytes]:
        """All events about a person, oldest first.

        Args:
            person: The person's pseudonym, 32 hex digits.
        """
        wanted = bytes.fromhex(person)
        found = [event for path in self._streams() for event in segments.events_about(path, wanted)]
        return sorted(found, key=micros_of)

    def emergencies(self) -> list[bytes]:
        """All events of emergency access, oldest first."""
        from xinglin.access.audit.event import EMERGENCY

        mark = b'"code":"%s"' % EMERGENCY.encode()
        return sorted((event for event in self.events() if mark in event), key=micros_of)

    def events(self) -> Iterator[bytes]:
        """All events, stream by stream."""
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
            NotFound: There is no such event, or it is not sealed yet.
            VerificationFailed: The events differ from what was sealed.
        """
        path, number = self._place(identifier)
        return evidence.prove(path, number)

    def unanchored(self, ledger: Ledger) -> list[Unanchored]:
        """Sealed segments that are not on the ledger yet, oldest first in each stream.

        Args:
            ledger: The region's ledger.

        Raises:
            LedgerUnavailable: The ledger does not answer.
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
        """Defects of the log, each by name; empty if the log is intact.

        Args:
            ledger: The ledger to compare with; None checks the log against its own seals only.
        """
        found = []
        for path in self._streams():
            wrong = list(evidence.findings(path))
            found += wrong
            if wrong:
                continue
            seals, done = segments.seals_of(path), _anchored(path)
            if len(seals) < done:
                found.append(f"stream {path.name}: anchored segment {len(seals)} is missing")
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
            raise NotFound("the audit log has no such event", remedy="check the event id")
        return self.folder / found[1], int(found[2])


def _anchored(path: Path) -> int:
    """Number of leading segments that are known to be on the ledger."""
    file = path / "anchored"
    return int(file.read_text()) if file.exists() else 0


def _note_anchored(path: Path, done: int) -> None:
    if done > _anchored(path):
        write_atomic(path / "anchored", b"%d\n" % done, mode=0o600)
