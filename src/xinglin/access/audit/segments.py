"""Read the sealed segments of one stream of the audit log.

A stream is a folder ``audit/<32 hex digits>/``, written by one process at a time:

| file | holds |
|---|---|
| ``events-<8 digits>.log`` | AuditEvents, one JSON text per line; a new file after 64 MiB |
| ``seals`` | one JSON line per segment: position, count, times, Merkle root, hash of the previous line |
| ``index`` | 64 bytes per event: person, position, leaf hash; derived from the other files |
| ``lock`` | held by the writing process |

The root is the Merkle root of RFC 6962 over the lines without line ends.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from xinglin.core.errors import NotFound, VerificationFailed
from xinglin.core.merkle import leaf_hash

__all__ = [
    "ENTRY",
    "NO_PERSON",
    "Entry",
    "Seal",
    "entries_of",
    "event_at",
    "events_about",
    "events_file",
    "indexed",
    "last_seal",
    "leaves_of",
    "lines_of",
    "person_of",
    "seal_of",
    "seals_of",
    "unsealed",
]

ENTRY = struct.Struct(">16sIIQ32s")
"""One entry of the index: person, file, length, offset, leaf hash."""
NO_PERSON = bytes(16)
"""Index value of an event that concerns no single person."""

_PERSON = re.compile(rb'"reference":"Patient/([0-9a-f]{32})"')
_TAIL = 4096


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of one closed segment.

    Args:
        segment: Number of the segment in the stream, from 0.
        file: Number of the file that holds it.
        start: Offset of its first byte.
        end: Offset after its last byte.
        number: Number of its first event in the stream, from 0.
        count: Number of events.
        first: Time of the first event, microseconds since 1970.
        last: Time of the last event.
        root: RFC 6962 root over the events, in hex.
        previous: SHA-256 of the previous seal, in hex; empty for the first.
    """

    segment: int
    file: int
    start: int
    end: int
    number: int
    count: int
    first: int
    last: int
    root: str
    previous: str

    def line(self) -> bytes:
        """The line in ``seals``, without the line end."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    def digest(self) -> str:
        """SHA-256 of the line, which the next seal stores as `previous`."""
        return hashlib.sha256(self.line()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """The index entry of one event.

    Args:
        person: The person's pseudonym, 16 bytes, or `NO_PERSON`.
        file: Number of the file.
        length: Length of the event in bytes.
        offset: Offset of its first byte.
        leaf: Leaf hash.
    """

    person: bytes
    file: int
    length: int
    offset: int
    leaf: bytes


def events_file(folder: Path, number: int) -> Path:
    """The path of a file of events.

    Args:
        folder: The stream's folder.
        number: The file's number.
    """
    return folder / f"events-{number:08d}.log"


def person_of(event: bytes) -> bytes:
    """The pseudonym of the person in an event, 16 bytes; `NO_PERSON` if it names none.

    Args:
        event: The AuditEvent's bytes.
    """
    found = _PERSON.search(event)
    return bytes.fromhex(found[1].decode()) if found else NO_PERSON


def seals_of(folder: Path) -> list[Seal]:
    """All seals of a stream, with the hash chain checked.

    Args:
        folder: The stream's folder.

    Raises:
        VerificationFailed: A seal was changed or is missing; the error names it.
    """
    found: list[Seal] = []
    previous = ""
    path = folder / "seals"
    # A line without its end is a seal that was being written when the process ended.
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for number, line in enumerate(lines):
        try:
            seal = Seal(**json.loads(line))
            if seal.line() != line or seal.segment != number or seal.previous != previous:
                raise ValueError
        except (ValueError, TypeError) as error:
            raise VerificationFailed(
                f"the seal of segment {number} was changed", source=folder.name, remedy="restore a backup"
            ) from error
        previous = hashlib.sha256(line).hexdigest()
        found.append(seal)
    return found


def last_seal(folder: Path) -> Seal | None:
    """The newest seal of a stream, without reading the others.

    Args:
        folder: The stream's folder.
    """
    path = folder / "seals"
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        lines = file.read().split(b"\n")[:-1]
    return Seal(**json.loads(lines[-1])) if lines else None


def unsealed(folder: Path, seal: Seal | None) -> Iterator[tuple[int, int, bytes]]:
    """File, offset and bytes of every complete event after a seal.

    Args:
        folder: The stream's folder.
        seal: The newest seal, or None.
    """
    number, offset = (seal.file, seal.end) if seal else (0, 0)
    while (path := events_file(folder, number)).exists():
        with path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if line.endswith(b"\n"):
                    yield number, offset, line[:-1]
                offset += len(line)
        number, offset = number + 1, 0


def lines_of(folder: Path, seal: Seal) -> list[bytes]:
    """The events of a segment.

    Args:
        folder: The stream's folder.
        seal: The seal of the segment.
    """
    with events_file(folder, seal.file).open("rb") as file:
        file.seek(seal.start)
        return file.read(seal.end - seal.start).split(b"\n")[:-1]


def entries_of(folder: Path, seal: Seal) -> list[Entry]:
    """Index entries of a segment, computed from the events.

    Args:
        folder: The stream's folder.
        seal: The seal of the segment.
    """
    offset, found = seal.start, []
    for line in lines_of(folder, seal):
        found.append(Entry(person_of(line), seal.file, len(line), offset, leaf_hash(line)))
        offset += len(line) + 1
    return found


def event_at(folder: Path, number: int) -> bytes:
    """Read one event by its number in the stream.

    Args:
        folder: The stream's folder.
        number: The event's number, from 0.

    Raises:
        NotFound: There is no such event.
    """
    entries = indexed(folder, number)
    if entries:
        return _read(folder, entries[0])
    # The index is shorter than the seals if a process ended between writing the two.
    seal = seal_of(folder, number)
    if seal is not None:
        return lines_of(folder, seal)[number - seal.number]
    newest = last_seal(folder)
    begin = newest.number + newest.count if newest else 0
    for place, (_, _, line) in enumerate(unsealed(folder, newest), begin):
        if place == number:
            return line
    raise NotFound("the audit log has no such event", source=folder.name, remedy="check the event id")


def events_about(folder: Path, person: bytes) -> Iterator[bytes]:
    """All events about a person, oldest first.

    Args:
        folder: The stream's folder.
        person: The person's pseudonym, 16 bytes.
    """
    covered = 0
    path = folder / "index"
    if path.exists() and path.stat().st_size >= ENTRY.size:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as index:
            covered = len(index) // ENTRY.size
            at = index.find(person)
            while at >= 0:
                if at % ENTRY.size == 0 and at < covered * ENTRY.size:
                    event = _read(folder, Entry(*ENTRY.unpack_from(index, at)))
                    if person_of(event) == person:
                        yield event
                at = index.find(person, at + 1)
    seal = last_seal(folder)
    if seal and covered < seal.number + seal.count:
        for one in seals_of(folder):
            lines = lines_of(folder, one) if one.number + one.count > covered else []
            for number, line in enumerate(lines, one.number):
                if number >= covered and person_of(line) == person:
                    yield line
    for _, _, line in unsealed(folder, seal):
        if person_of(line) == person:
            yield line


def seal_of(folder: Path, number: int) -> Seal | None:
    """The seal of the segment that contains an event; None if it is not sealed yet.

    Args:
        folder: The stream's folder.
        number: The event's number in the stream.
    """
    path = folder / "seals"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    place = bisect_right(lines, number, key=lambda line: int(json.loads(line)["number"])) - 1
    if place < 0:
        return None
    seal = Seal(**json.loads(lines[place]))
    return seal if number < seal.number + seal.count else None


def indexed(folder: Path, number: int, count: int = 1) -> list[Entry]:
    """Entries of the index; fewer than requested at the end of the index.

    Args:
        folder: The stream's folder.
        number: The first event's number in the stream.
        count: Number of entries.
    """
    path = folder / "index"
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(number * ENTRY.size)
        found = file.read(count * ENTRY.size)
    return [Entry(*values) for values in ENTRY.iter_unpack(found[: len(found) // ENTRY.size * ENTRY.size])]


def leaves_of(folder: Path, seal: Seal) -> list[bytes]:
    """The leaf hashes of a segment from the index; fewer at the end of the index.

    Args:
        folder: The stream's folder.
        seal: The segment's seal.
    """
    path = folder / "index"
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(seal.number * ENTRY.size)
        found = file.read(seal.count * ENTRY.size)
    return [found[end - 32 : end] for end in range(ENTRY.size, len(found) + 1, ENTRY.size)]


def _read(folder: Path, entry: Entry) -> bytes:
    """The event of an entry; empty if a damaged index names a missing file."""
    if not events_file(folder, entry.file).exists():
        return b""
    with events_file(folder, entry.file).open("rb") as file:
        file.seek(entry.offset)
        return file.read(entry.length)
