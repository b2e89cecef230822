"""Remove a person from FHIR files: lines of NDJSON, entries of a Bundle; every other byte stays as it was."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from msgspec import Raw, Struct

from xinglin.sources.fhir.sniff import is_json, is_lines, is_log
from xinglin.sources.formats import records
from xinglin.sources.part import Part
from xinglin.sources.reading import Reading
from xinglin.sources.record import Rejected
from xinglin.sources.removal import (
    UNTOUCHED,
    Account,
    Content,
    Cut,
    Judge,
    Out,
    Uncuttable,
    about_another,
    unbroken,
)
from xinglin.sources.unpack import stretches

__all__ = ["cut_document", "redact", "without_entries"]


class _Entries(Struct, gc=False):
    entry: list[Raw] = []


_BOM = b"\xef\xbb\xbf"
_DECODER = msgspec.json.Decoder(_Entries)


def redact(content: Content, head: bytes, judge: Judge, out: Out) -> Cut:
    """A FHIR file without what is the person's.

    Args:
        content: The file.
        head: Its beginning.
        judge: What decides.
        out: Where the rest is written.

    Raises:
        Uncuttable: It is not JSON, or too large for a document.
    """
    if not is_json(head) or is_log(head):
        raise Uncuttable
    return _lines(content, judge, out) if is_lines(content.name, head) else _document(content, judge, out)


def _lines(content: Content, judge: Judge, out: Out) -> Cut:
    """NDJSON without the person's lines; a line that is a Bundle of several persons without the person's entries."""
    account = Account()
    for stretch in unbroken(stretches(content.blocks(), content.reading.limits)):
        out.write(b"\n".join(_line(content, judge, line, account) for line in stretch.data.split(b"\n")))
    return account.cut


def _line(content: Content, judge: Judge, line: bytes, account: Account) -> bytes:
    inside = line.removeprefix(_BOM)
    found = list(records(Part(0, "lines", data=inside, format="fhir", name=content.name), content.reading))
    if not any(judge.owns(one) for one in found):
        account.remains |= bool(found)
        return line
    if len(found) == 1:
        account.removed += 1
        return b""
    cut, rest = cut_document(inside, content.name, content.reading, judge)
    account.removed += cut.removed
    account.lost += cut.lost
    account.remains |= cut.remains
    return rest


def _document(content: Content, judge: Judge, out: Out) -> Cut:
    held: list[bytes] = []
    size = 0
    for block in content.blocks():
        held.append(block)
        size += len(block)
        if size > content.reading.limits.document_bytes:
            raise Uncuttable
    cut, rest = cut_document(b"".join(held), content.name, content.reading, judge)
    out.write(rest)
    return cut


def cut_document(data: bytes, name: str, reading: Reading, judge: Judge) -> tuple[Cut, bytes]:
    """One resource or Bundle without what is the person's, and what is left of it.

    A Bundle in which nobody else has a record is the person's as a whole, with what it says about nobody.

    Args:
        data: The document.
        name: Its name.
        reading: How it is read.
        judge: Who decides.
    """
    gone: set[int] = set()
    others: set[int] = set()
    lost = 0
    broken = False
    for record in records(Part(0, "document", data=data, length=len(data), format="fhir", name=name), reading):
        if judge.owns(record):
            gone.add(record.position)
        elif about_another(record):
            others.add(record.position)
            lost += 1
        broken |= isinstance(record.found, Rejected) and record.position == 0
    if not gone:
        return UNTOUCHED, data
    if broken or not others - gone:
        return Cut(len(gone), remains=False, lost=lost), b""
    try:
        rest, around = without_entries(data, gone)
    except Uncuttable:
        return Cut(len(gone), remains=False, lost=lost), b""
    if judge.told(around):
        return Cut(len(gone), remains=False, lost=lost), b""
    return Cut(len(gone)), rest


def without_entries(data: bytes, gone: Collection[int]) -> tuple[bytes, bytes]:
    """A Bundle without entries of these numbers, from 1; and what stands around its entries.

    Raises:
        Uncuttable: It has no such entries, or not as a list.

    Example:
        >>> without_entries(b'{"entry":[ {"a":1}, {"b":2},{"c":3} ],"type":"batch"}', {1})[0]
        b'{"entry":[ {"b":2},{"c":3} ],"type":"batch"}'
        >>> without_entries(b'{"entry":[ {"a":1}, {"b":2},{"c":3} ]}', {2, 3})[0]
        b'{"entry":[ {"a":1} ]}'
    """
    if data.startswith(_BOM):
        rest, around = without_entries(data[len(_BOM) :], gone)
        return _BOM + rest, around
    spans = _spans(data)
    kept = [number for number in range(len(spans)) if number + 1 not in gone]
    if not kept or max(gone) > len(spans) or min(gone) < 1:
        raise Uncuttable
    parts = [data[: spans[0][0]]]
    for number in kept:
        start, end = spans[number]
        if number != kept[0]:
            parts.append(data[spans[number - 1][1] : start])
        parts.append(data[start:end])
    parts.append(data[spans[-1][1] :])
    return b"".join(parts), data[: spans[0][0]] + data[spans[-1][1] :]


def _spans(data: bytes) -> list[tuple[int, int]]:
    """Where each entry begins and ends: the decoder's views lie in the document itself."""
    import numpy as np

    try:
        entries = _DECODER.decode(data).entry
    except (msgspec.MsgspecError, RecursionError):
        raise Uncuttable from None
    base = np.frombuffer(data, dtype="u1").ctypes.data
    spans = []
    for entry in entries:
        view = memoryview(entry)
        start = np.frombuffer(view, dtype="u1").ctypes.data - base
        if not 0 <= start <= len(data) - len(view) or data[start : start + len(view)] != view:
            raise Uncuttable
        spans.append((start, start + len(view)))
    return spans
