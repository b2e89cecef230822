"""A file's content, whatever its format, without what is one person's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from xinglin.sources.dicom.sniff import is_directory
from xinglin.sources.discover import is_description
from xinglin.sources.fhir.sniff import is_json, is_lines, is_log
from xinglin.sources.formats import format_named, format_of, records
from xinglin.sources.hl7v2.message.envelope import is_xml
from xinglin.sources.opened import Opened, Received
from xinglin.sources.record import Record, Rejected
from xinglin.sources.redact.bundle import cut_document
from xinglin.sources.redact.judge import UNTOUCHED, Content, Cut, Judge, Out, Uncuttable, about_another
from xinglin.sources.redact.text import cut_lines, cut_messages, cut_rows
from xinglin.sources.tabular.files.typed import is_parquet, is_workbook

__all__ = ["cut_content", "suspected"]

_OVERLAP = 1_000


def cut_content(content: Content, judge: Judge, out: Out) -> Cut:
    """Write a content without what is the person's.

    What nobody can cut goes wholly where it holds anything of the person, and so does what is known to hold something
    that is not found.

    Args:
        content: What was received.
        judge: Who decides.
        out: Where the rest goes. It is of use only where something was removed and something remains.
    """
    try:
        head = content.head()
    except Rejected:
        head = b""
    try:
        cut = _cutter(content, head)(content, judge, out)
    except (Uncuttable, Rejected):
        return _all_or_nothing(content, head, judge)
    return _all_or_nothing(content, head, judge) if content.expected and not cut.removed else cut


def suspected(content: Content, judge: Judge) -> bool:
    """Whether any of the content's bytes can be about the person.

    Raises:
        Rejected: It breaks off, and nothing was found before.
    """
    before = b""
    if judge.suspect is not None:
        for block in content.blocks():
            if judge.suspect(before + block):
                return True
            before = block[-_OVERLAP:]
    return False


def _cutter(content: Content, head: bytes) -> Callable[[Content, Judge, Out], Cut]:
    """How a content of this name and beginning is cut, as formats would read it."""
    if is_description(content.name, content.reading) or is_directory(head):
        return _no_cut
    name = format_of(content.name, head, content.reading)
    if name == "hl7v2":
        return _no_cut if is_xml(head) else cut_messages
    if name == "tabular":
        return _no_cut if is_parquet(head) or is_workbook(content.name, head) else cut_rows
    if name == "fhir" and is_json(head) and not is_log(head):
        return cut_lines if is_lines(content.name, head) else _document
    return _no_cut


def _no_cut(content: Content, judge: Judge, out: Out) -> Cut:
    raise Uncuttable


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


def _all_or_nothing(content: Content, head: bytes, judge: Judge) -> Cut:
    """All of it goes where any record is the person's, or where no record can be read and the bytes speak of them."""
    own = others = readable = 0
    for record in _records(content, head):
        readable += not isinstance(record.found, Rejected)
        if judge.owns(record):
            own += 1
        else:
            others += about_another(record)
    if own or content.expected or (not readable and _speaks(content, judge)):
        return Cut(1, remains=False, lost=others)
    return UNTOUCHED


def _speaks(content: Content, judge: Judge) -> bool:
    try:
        return suspected(content, judge)
    except Rejected:
        return False


def _records(content: Content, head: bytes) -> Iterator[Record]:
    """The records of a content, read as it was when it was landed."""
    if is_description(content.name, content.reading):
        return
    entry = Received(content.name, "resources", Path())
    opened = Opened(0, entry, head, content.blocks(), None, content.reading)
    form = format_named(format_of(content.name, head, content.reading))
    for part in form.cut(opened):
        yield from records(part, content.reading)
