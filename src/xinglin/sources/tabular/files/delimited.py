"""Delimited text read as rows.

A record is what `csv` takes for one: a line feed within quotes does not end it. A quote that is never closed, or that
makes its record ragged, costs the line it stands in; reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from xinglin.sources.characters import is_han_utf8
from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected
from xinglin.sources.tabular.files.encoding import line_of

__all__ = ["Dialect", "TextRow", "delimiter_of", "first_row", "rows_of"]

_CANDIDATES = ",\t;|"


@dataclass(frozen=True)
class Dialect:
    """How the fields of a text file stand.

    Args:
        encoding: In which the bytes are.
        delimiter: Between fields.
        quote: Around fields; ``none`` where a quote is a letter like others.
    """

    encoding: str
    delimiter: str
    quote: str = '"'


class TextRow(NamedTuple):
    """One record.

    Args:
        position: Number of the line it begins in.
        fields: Its fields, or why it has none.
        raw: Its text.
    """

    position: int
    fields: list[str] | Rejected
    raw: str | bytes


def delimiter_of(text: str, quote: str = '"') -> str:
    """The delimiter that cuts most lines into the same number of fields, more than one.

    Example:
        >>> delimiter_of("a;b;c\\n1,5;2;3\\n"), delimiter_of("a\\n")
        (';', ',')
    """
    lines = text.splitlines()[:200]
    best, chosen = (0.0, 0), ","
    for candidate in _CANDIDATES:
        counts = [len(row) for row in _quietly(lines, candidate, quote) if row]
        usual = max(set(counts), key=counts.count) if counts else 0
        score = (counts.count(usual) / len(counts), usual) if usual > 1 else (0.0, 0)
        if score > best:
            best, chosen = score, candidate
    return chosen


def _quietly(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    try:
        return list(_reader(iter(lines), delimiter, quote, strict=False))
    except csv.Error:
        return []


def _reader(lines: Iterator[str], delimiter: str, quote: str, *, strict: bool = True) -> Any:
    if quote == "none":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=strict)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=strict)


def first_row(text: str, dialect: Dialect) -> tuple[list[str], int]:
    """The fields of the first record and the number of lines it takes.

    Example:
        >>> first_row('a,"b\\nc"\\nd,e', Dialect("utf-8", ","))
        (['a', 'b\\nc'], 2)
    """
    reader = _reader(iter(_lines(text)), dialect.delimiter, dialect.quote, strict=False)
    try:
        return next(reader, []), reader.line_num
    except csv.Error:
        return [], 1


def rows_of(data: bytes, first: int, dialect: Dialect, width: int, pad: bool, limits: Limits) -> Iterator[TextRow]:
    """The records of a stretch.

    Args:
        data: Whole lines.
        first: Number of the first line.
        dialect: How the fields stand.
        width: Number of fields.
        pad: Whether a row with fewer is filled up instead of set aside.
        limits: Longest field.

    Example:
        >>> found = rows_of(b'a,"b\\nc"\\nd\\ne,f\\n', 1, Dialect("utf-8", ","), 2, False, Limits())
        >>> [(row.position, getattr(row.fields, "reason", row.fields)) for row in found]
        [(1, ['a', 'b\\nc']), (3, 'ragged-row'), (4, ['e', 'f'])]
    """
    csv.field_size_limit(limits.resource_bytes)
    try:
        text = data.decode(dialect.encoding)
        if dialect.encoding != "gb18030" or not any(is_han_utf8(line) for line in data.split(b"\n")):
            yield from _rows(_lines(text), first, dialect, width, pad)
            return
    except UnicodeDecodeError:
        pass
    # Lines in another encoding cost themselves only; the runs of good lines between them are read as they are.
    good: list[str] = []
    number = start = first
    for line in data.split(b"\n"):
        try:
            good.append(line_of(line, dialect.encoding) + "\n")
        except UnicodeDecodeError as error:
            yield from _rows(good, start, dialect, width, pad)
            detail = f"expected {dialect.encoding} at byte {error.start} of the line"
            yield TextRow(number, Rejected("invalid-encoding", detail), line)
            good, start = [], number + 1
        number += 1
    yield from _rows(good, start, dialect, width, pad)


def _lines(text: str) -> list[str]:
    """Lines that end with a line feed, or with a carriage return where there are no line feeds at all."""
    if "\n" not in text and "\r" in text:
        text = text.replace("\r", "\n")
    lines = [line + "\n" for line in text.split("\n")]
    if lines[-1] == "\n":
        lines.pop()
    return lines


def _rows(lines: list[str], first: int, dialect: Dialect, width: int, pad: bool) -> Iterator[TextRow]:
    start = 0
    while start < len(lines):
        try:
            for fields, begin, end in _read(lines, start, dialect):
                if pad and len(fields) < width:
                    fields.extend([""] * (width - len(fields)))
                if len(fields) == width:
                    raw = lines[begin] if end == begin + 1 else "".join(lines[begin:end])
                    yield TextRow(first + begin, fields, raw)
                elif end > begin + 1:
                    raise csv.Error
                else:
                    detail = f"expected {width} fields, found {len(fields)}"
                    yield TextRow(first + begin, Rejected("ragged-row", detail), lines[begin])
                start = end
            return
        except csv.Error:
            while not lines[start].strip():
                start += 1
            detail = "expected quotes around whole fields, closed in the same record, and line breaks only there"
            yield TextRow(first + start, Rejected("malformed-row", detail), lines[start])
            start += 1


def _read(lines: list[str], start: int, dialect: Dialect) -> Iterator[tuple[list[str], int, int]]:
    """The records from a line on, without blank ones, with the lines they begin and end at."""
    reader = _reader((lines[place] for place in range(start, len(lines))), dialect.delimiter, dialect.quote)
    begin = start
    for fields in reader:
        end = start + reader.line_num
        if len(fields) > 1 or (fields and fields[0].strip()):
            yield fields, begin, end
        begin = end
