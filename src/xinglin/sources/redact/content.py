"""A file's content, whatever its format, without what is one person's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xinglin.sources.discover import is_description
from xinglin.sources.formats import format_named, format_of, records
from xinglin.sources.opened import Opened, Received
from xinglin.sources.record import Record, Rejected
from xinglin.sources.removal import UNTOUCHED, Content, Cut, Judge, Out, Uncuttable, about_another

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
        cut = _cut(content, head, judge, out)
    except (Uncuttable, Rejected):
        return _all_or_nothing(content, head, judge)
    return _all_or_nothing(content, head, judge) if content.expected and not cut.removed else cut


def _cut(content: Content, head: bytes, judge: Judge, out: Out) -> Cut:
    if is_description(content.name, content.reading):
        raise Uncuttable
    return format_named(format_of(content.name, head, content.reading)).redact(content, head, judge, out)


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
