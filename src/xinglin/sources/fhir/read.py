"""FHIR files cut into parts, and parts read as records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from xinglin.sources.fhir.bundle import entries, is_bundle
from xinglin.sources.fhir.check import check
from xinglin.sources.fhir.sniff import is_json, is_lines, is_log
from xinglin.sources.fhir.unread import without_unreadable
from xinglin.sources.limits import Limits
from xinglin.sources.opened import Opened
from xinglin.sources.part import Part, read
from xinglin.sources.reading import Reading
from xinglin.sources.record import Record, Rejected
from xinglin.sources.unpack import stretches

__all__ = ["cut", "recognises", "records"]

_BOM = b"\xef\xbb\xbf"
_CACHED = 500_000
_MOST_UNREAD = 20


def _not_fhir() -> Rejected:
    return Rejected("not-fhir", "expected JSON, NDJSON or a zip archive of them")


def recognises(name: str, head: bytes, reading: Reading) -> bool:
    """Whether the file can be JSON at all."""
    return is_json(head)


def cut(opened: Opened) -> Iterator[Part]:
    """A file's content decides whether it is lines or one document; its name only where it says NDJSON."""
    if is_log(opened.head):
        opened.entry.role = "log"
        for _ in opened.blocks:
            pass
    elif is_lines(opened.entry.name, opened.head):
        # A stretch is not kept here while the next one is read.
        yield from map(partial(opened.stretch, format="fhir"), stretches(opened.blocks, opened.limits))
    else:
        yield opened.document("fhir", None if is_json(opened.head) else _not_fhir())


def records(part: Part, reading: Reading) -> Iterator[Record]:
    """The resources of a part."""
    try:
        data = read(part)
    except Rejected as rejected:
        yield Record(0, rejected, b"")
        return
    form = part.form
    if form == "auto":
        if not is_json(data) or is_log(data):
            yield Record(0, _not_fhir(), data)
            return
        form = "lines" if is_lines(part.member or "", data) else "document"
    if form == "document":
        yield from _document(data.removeprefix(_BOM), part.first, reading.limits)
    else:
        yield from _lines(data.removeprefix(_BOM) if part.first == 1 else data, part.first, reading.limits)


def _lines(data: bytes, first: int, limits: Limits) -> Iterator[Record]:
    for position, line in enumerate(_split(data), first):
        if not line:
            continue
        try:
            found = check(line, limits)
        except Rejected as rejected:
            if not (line := line.strip()):
                continue
            if not is_bundle(line):  # what a Bundle lacks itself, such as an id, does not count: its entries do
                yield from _repaired(position, line, rejected, limits)
                continue
            found = None
        if found is None or found.resource_type == "Bundle":
            for record in _document(line, 1, limits):
                yield Record(position, record.found, record.raw, record.size)
        else:
            yield Record(position, found, line)


def _repaired(position: int, line: bytes, rejected: Rejected, limits: Limits) -> Iterator[Record]:
    """A resource without the dates that cannot be read, and each of these as a record that is set aside."""
    text = line
    told: list[Record] = []
    while len(told) < _MOST_UNREAD and (repaired := without_unreadable(text, rejected)) is not None:
        detail = f"{rejected.detail}; what else the resource says was landed"
        text, told = repaired, [*told, Record(position, Rejected(rejected.reason, detail), line)]
        try:
            yield Record(position, check(text, limits), line)
        except Rejected as more:
            rejected = more
            continue
        yield from told
        return
    yield Record(position, rejected, line)


def _split(data: bytes) -> Iterator[bytes]:
    """Lines, cut out shortly before they are needed, so that they are still in the processor's cache."""
    start, size = 0, len(data)
    while start < size:
        end = data.find(b"\n", min(start + _CACHED, size)) + 1 or size
        yield from data[start : end - 1 if data[end - 1] == 10 else end].split(b"\n")
        start = end


def _document(data: bytes, first: int, limits: Limits) -> Iterator[Record]:
    """One resource, or the entries of a Bundle; a document that breaks off is one record."""
    data = data.strip()
    if not data:
        return
    try:
        inside = entries(data, limits)
    except Rejected as rejected:
        yield Record(0, rejected, data)
        return
    if inside is None:
        try:
            yield Record(first, check(data, limits), data)
        except Rejected as rejected:
            yield from _repaired(first, data, rejected, limits)
        return
    for position, text in inside:
        if not isinstance(text, bytes):
            yield Record(position, text, b"" if isinstance(text, Rejected) else text.text)
            continue
        try:
            yield Record(position, check(text, limits), text)
        except Rejected as rejected:
            yield from _repaired(position, text, rejected, limits)
