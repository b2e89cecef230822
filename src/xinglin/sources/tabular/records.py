"""Parts of tables read as records, row by row."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import msgspec
import orjson

from xinglin.sources.part import Part, read
from xinglin.sources.reading import Reading
from xinglin.sources.record import Record, Rejected
from xinglin.sources.tabular.chosen import mapping_of, no_table, recipes_of, tables_of
from xinglin.sources.tabular.compile.resources import Recipe, made_of
from xinglin.sources.tabular.files import typed
from xinglin.sources.tabular.files.delimited import rows_of
from xinglin.sources.tabular.files.encoding import ascii_safe
from xinglin.sources.tabular.files.layout import Layout, file_encoding, text_layout
from xinglin.sources.tabular.mapping.file import Table, unpacked_name

__all__ = ["records"]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]").search


def records(part: Part, reading: Reading) -> Iterator[Record]:
    """The resources of a part; never raises because of what is in it."""
    layout = msgspec.json.decode(part.context, type=Layout) if part.context else None
    try:
        if part.form == "lines" and layout is not None:
            table = mapping_of(reading).tables[layout.table]
            yield from _Rows(table, part.name, reading).text(read(part), part.first, layout)
        else:
            yield from _document(part, layout, reading)
    except Rejected as rejected:
        yield Record(0, rejected, b"")


def _document(part: Part, layout: Layout | None, reading: Reading) -> Iterator[Record]:
    tables = tables_of(mapping_of(reading), part.name)
    if not tables:
        raise no_table()
    rows = _Rows(tables[0], part.name, reading)
    if layout is not None and layout.group >= 0 and part.path is not None:
        yield from rows.typed(typed.parquet_header(part.path), typed.parquet_rows(part.path, layout.group))
        return
    data = read(part)
    if typed.is_parquet(data):
        yield from rows.typed(typed.parquet_header(io.BytesIO(data)), typed.parquet_rows(io.BytesIO(data), -1))
    elif typed.is_workbook(part.name, data):
        for table in tables:
            yield from _workbook(data, table, part.name, reading)
    else:
        encoding = file_encoding(tables[0], data, None) if layout is None else layout.encoding
        yield from _text_document(data, encoding, rows)


def _workbook(data: bytes, table: Table, name: str, reading: Reading) -> Iterator[Record]:
    try:
        for sheet in typed.sheets_of(data, table):
            try:
                yield from _Rows(table, name, reading).typed(sheet.header, sheet.rows)
            except Rejected as rejected:
                yield Record(0, rejected, b"")
    except Rejected as rejected:
        yield Record(0, rejected, b"")


def _text_document(data: bytes, encoding: str, rows: _Rows) -> Iterator[Record]:
    """A whole text; one in a wide encoding becomes UTF-8 first, whose line feeds can be seen as bytes."""
    if not ascii_safe(encoding):
        try:
            data, encoding = data.decode(encoding).removeprefix("\ufeff").encode(), "utf-8"
        except UnicodeError:
            yield Record(0, Rejected("invalid-encoding", f"expected {encoding}"), data)
            return
    layout, offset, line = text_layout(rows.table, data, encoding)
    yield from rows.text(data[offset:], line, layout)


@dataclass(frozen=True)
class _Rows:
    """The rows of one file of a table.

    Args:
        table: The table.
        name: The file's name.
        reading: How the ingest reads.
    """

    table: Table
    name: str
    reading: Reading

    def text(self, data: bytes, first: int, layout: Layout) -> Iterator[Record]:
        """The records of a stretch of delimited text."""
        width = len(layout.header)
        recipes = recipes_of(self.reading.mapping or "", self.table.name, layout.header, False)
        made = _Maker(self, recipes)
        for row in rows_of(data, first, layout.dialect, width, self.table.pad, self.reading.limits):
            fields = row.fields
            if isinstance(fields, Rejected) or isinstance(row.raw, bytes):
                raw = row.raw if isinstance(row.raw, bytes) else row.raw.encode(layout.encoding)
                yield Record(row.position, fields if isinstance(fields, Rejected) else no_table(), raw)
            else:
                yield from made.records(row.position, fields, row.raw, layout.encoding)

    def typed(self, header: tuple[str, ...], rows: Iterable[typed.TypedRow]) -> Iterator[Record]:
        """The records of a sheet or a row group."""
        made = _Maker(self, recipes_of(self.reading.mapping or "", self.table.name, header, True))
        width = len(header)
        for row in rows:
            fields = row.fields
            if len(fields) != width:
                fields = [*fields[:width], *[""] * (width - len(fields))]
            yield from made.records(row.position, fields, None, "utf-8")


class _Maker:
    def __init__(self, rows: _Rows, recipes: list[Recipe]) -> None:
        self.recipes = recipes
        self.limits = rows.reading.limits
        self.skip_unmatched = rows.table.skip_unmatched
        path = PurePosixPath(unpacked_name(rows.name))
        self.names = (path.stem, path.name, "")

    def records(self, position: int, fields: list[str], raw: str | None, encoding: str) -> Iterator[Record]:
        """What one row becomes."""
        if _CONTROL(raw if raw is not None else "".join(fields)):
            rejected = Rejected("control-character", "expected text without control characters")
            yield Record(position, rejected, _original(fields, raw, encoding))
            return
        row = [*fields, str(position), *self.names]
        count = 0
        for found, mention in made_of(self.recipes, row, self.limits):
            count += 1
            original = _original(fields, raw, encoding) if isinstance(found, Rejected) else b""
            yield Record(position, found, original, mention=mention)
        if not count and not self.skip_unmatched:
            rejected = Rejected("no-resource", "expected a row to which one of the mapping's conditions applies")
            yield Record(position, rejected, _original(fields, raw, encoding))


def _original(fields: list[str], raw: str | None, encoding: str) -> bytes:
    """The row for the quarantine: its text as received, or its cells."""
    return orjson.dumps(fields) if raw is None else raw.encode(encoding)
