"""Look at a file or a database that has no mapping yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from xinglin.core.errors import BadInput, NotFound
from xinglin.sources.discover import codec_of
from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected
from xinglin.sources.tabular import dates
from xinglin.sources.tabular.databases.connect import connected, shown, source_of
from xinglin.sources.tabular.files import typed
from xinglin.sources.tabular.files.cells import text_of
from xinglin.sources.tabular.files.delimited import rows_of
from xinglin.sources.tabular.files.encoding import ascii_safe, encoding_of
from xinglin.sources.tabular.files.layout import file_encoding, text_layout
from xinglin.sources.tabular.mapping.file import Table, parse_mapping, unpacked_name
from xinglin.sources.tabular.numbers import decimal_text
from xinglin.sources.tabular.profile.columns import TableProfile, profile_rows
from xinglin.sources.unpack import unpack

__all__ = ["look_at_database", "look_at_file"]

_MOST_ROWS = 200_000
_MOST_BYTES = 64_000_000


def _any_table() -> Table:
    """A table of which nothing is known, to read a file with."""
    text = "tables: {t: {file: '*', resources: [{type: Basic, id: x, elements: {code: {text: x}}}]}}"
    return parse_mapping(text).tables["t"]


def look_at_file(path: Path) -> list[TableProfile]:
    """The tables of a file: one, or each sheet of a workbook; at most 200,000 rows of each are looked at.

    Raises:
        NotFound: There is no such file.
        BadInput: It cannot be read as a table.
    """
    if not path.is_file():
        raise NotFound("there is no such file", source=str(path), remedy="name a file or the URL of a database")
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if typed.is_workbook(path.name, head):
            return list(_workbook(path))
        if typed.is_parquet(head):
            rows = (row.fields for row in typed.parquet_rows(path, -1))
            return [_profile(path.stem, "file", typed.parquet_header(path), rows)]
        return [_text(path)]
    except Rejected as rejected:
        what = f"the file cannot be read as a table: {rejected.reason}, {rejected.detail}"
        raise BadInput(what, source=str(path), remedy="name a CSV, Excel or Parquet file") from None
    except OSError as error:
        raise BadInput(f"the file cannot be read (errno {error.errno})", source=str(path)) from None


def _profile(name: str, source: str, header: Sequence[str], rows: Iterator[list[str]]) -> TableProfile:
    count, columns = profile_rows(header, islice(rows, _MOST_ROWS))
    return TableProfile(name, source, count, 0, "", "", True, columns)


def _workbook(path: Path) -> Iterator[TableProfile]:
    import python_calamine as calamine

    data = path.read_bytes()
    try:
        names = list(calamine.load_workbook(str(path)).sheet_names)
    except Exception as error:  # each of its many errors means a file that is not what its name says
        raise Rejected("damaged-workbook", f"expected a readable workbook ({type(error).__name__})") from None
    for name in names:
        for sheet in typed.sheets_of(data, _any_table(), only=name):
            yield _profile(name, "sheet", sheet.header, (row.fields for row in sheet.rows))


def _text(path: Path) -> TableProfile:
    table, limits = _any_table(), Limits()
    with path.open("rb") as file:
        data = b""
        for block in unpack(file, codec_of(path.name), limits, lambda packed: None):
            data += block
            if len(data) >= _MOST_BYTES:
                data = data[: data.rfind(b"\n") + 1] or data
                break
    encoding = file_encoding(table, data, None) if data[:4] else encoding_of(data)
    said = encoding
    if not ascii_safe(encoding):
        data, encoding = data.decode(encoding, "replace").removeprefix("\ufeff").encode(), "utf-8"
    layout, offset, line = text_layout(table, data, encoding)
    header = layout.header
    has_header = not any(_is_value(name) for name in header)
    if not has_header:
        header, offset, line = tuple(f"c{number + 1}" for number in range(len(header))), 0, 1
    unreadable = 0

    def rows() -> Iterator[list[str]]:
        nonlocal unreadable
        for row in rows_of(data[offset:], line, layout.dialect, len(header), False, limits):
            if isinstance(row.fields, Rejected):
                unreadable += 1
            else:
                yield row.fields

    count, columns = profile_rows(header, islice(rows(), _MOST_ROWS))
    name = Path(unpacked_name(path.name)).stem
    delimiter = {"\t": "tab", " ": "space"}.get(layout.delimiter, layout.delimiter)
    return TableProfile(name, "file", count, unreadable, said, delimiter, has_header, columns)


def _is_value(name: str) -> bool:
    """Whether a cell of the first row is a number or a date, so that the row is no header."""
    return (
        decimal_text(name) is not None
        or dates.reader((*dates.ISO, "%m-%d-%Y", "%Y/%m/%d", "%m/%d/%Y"), None)(name) is not None
    )


def look_at_database(url: str) -> list[TableProfile]:
    """The tables of a database; at most 200,000 rows of each are looked at.

    Raises:
        UsageError: The URL cannot be used.
        StorageError: The database cannot be reached.
        BadInput: It has no tables, or refuses.
    """
    import sqlalchemy as sa

    found = []
    with connected(url) as connection:
        for name in sorted(sa.inspect(connection).get_table_names()):
            statement = sa.select(sa.text("*")).select_from(source_of(name, None)).limit(_MOST_ROWS)
            result = connection.execution_options(stream_results=True).execute(statement)
            rows = ([text_of(cell) for cell in row] for row in result)
            found.append(_profile(name, "table", tuple(result.keys()), rows))
    if not found:
        raise BadInput("the database has no tables that this account sees", source=shown(url))
    return found
