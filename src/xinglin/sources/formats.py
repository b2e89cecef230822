"""Which format reads what: each is a module with the same four functions.

- ``recognises(name, head, reading)``: whether a file of that name and beginning is of the format;
- ``cut(opened)``: the file as parts that any process can read;
- ``records(part, reading)``: the records of a part, in their order; never raises because of what is in it;
- ``redact(content, head, judge, out)``: the file without what is one person's, every other byte as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from xinglin.sources.opened import Opened
from xinglin.sources.part import Part, read
from xinglin.sources.reading import Reading
from xinglin.sources.record import Record, Rejected
from xinglin.sources.removal import Content, Cut, Judge, Out

__all__ = ["Format", "format_named", "format_of", "holds_records", "records"]

_LOOKING: tuple[str, ...] = ("dicom", "hl7v2", "tabular")
"""Formats that know their own files, in the order they are asked; FHIR takes the rest and says what it is not."""


class Format(Protocol):
    """The four functions of a format."""

    def recognises(self, name: str, head: bytes, reading: Reading) -> bool:
        """Whether a file of that name and beginning is of the format."""
        ...

    def cut(self, opened: Opened) -> Iterator[Part]:
        """The file as parts."""
        ...

    def records(self, part: Part, reading: Reading) -> Iterator[Record]:
        """The records of a part."""
        ...

    def redact(self, content: Content, head: bytes, judge: Judge, out: Out) -> Cut:
        """The file without what is one person's; raises `Uncuttable` where it can only stay or go as a whole."""
        ...


@cache
def format_named(name: str) -> Format:
    """The format of that name; its libraries are loaded now.

    Example:
        >>> format_named("fhir").recognises("a.json", b"{}", Reading())
        True
    """
    return cast(Format, import_module(f"xinglin.sources.{name}"))


def format_of(name: str, head: bytes, reading: Reading) -> str:
    """The name of the format that reads a file.

    Example:
        >>> format_of("a", b"{}", Reading()), format_of("a", b"{}", Reading("hl7v2"))
        ('fhir', 'hl7v2')
    """
    if reading.format != "auto":
        return reading.format
    for format_name in _LOOKING:
        if format_named(format_name).recognises(name, head, reading):
            return format_name
    return "fhir"


def holds_records(name: str, head: bytes, reading: Reading) -> bool:
    """Whether a file holds records though its name says that it tells about others: what a file is, its content says.

    Example:
        >>> [holds_records("a.txt", head, Reading()) for head in (b"MSH|^~\\\\&|", b'{"resourceType":"Basic"}', b"Hi")]
        [True, True, False]
    """
    if format_named("hl7v2").recognises(name, head, reading):
        return True
    return b'"resourceType"' in head and format_named("fhir").recognises(name, head, reading)


def records(part: Part, reading: Reading) -> Iterator[Record]:
    """The records of a part, in their order; never raises because of what is in it.

    Args:
        part: What to read.
        reading: How it is read.

    Example:
        >>> part = Part(source=0, form="lines", format="fhir", data=b'{"resourceType":"Patient","id":"a"}\\n\\n[]\\n')
        >>> [(record.position, getattr(record.found, "reason", "landed")) for record in records(part, Reading())]
        [(1, 'landed'), (3, 'not-fhir')]
    """
    if part.form == "rejected":
        yield Record(part.first, Rejected(part.reason, part.detail), part.data or b"", part.size)
        return
    if part.format == "auto":
        try:
            data = read(part)
        except Rejected as rejected:
            yield Record(0, rejected, b"")
            return
        part = replace(part, data=data, format=format_of(part.name, data, reading))
    yield from format_named(part.format).records(part, reading)
