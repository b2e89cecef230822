"""Workbooks (.xlsx, .xls, .ods) and Parquet files as rows of text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, NamedTuple

from xinglin.sources.record import Rejected
from xinglin.sources.tabular.files.cells import text_of
from xinglin.sources.tabular.mapping.file import Table

__all__ = [
    "TABLE_KEY",
    "WATERMARK_KEY",
    "Sheet",
    "TypedRow",
    "facts_of",
    "groups_of",
    "is_parquet",
    "is_workbook",
    "parquet_header",
    "parquet_rows",
    "sheets_of",
]

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BATCH = 20_000
TABLE_KEY = b"xinglin:table"
WATERMARK_KEY = b"xinglin:watermark"


class TypedRow(NamedTuple):
    """One row: its number in the sheet or file, and its cells as text."""

    position: int
    fields: list[str]


class Sheet(NamedTuple):
    """The rows of one sheet below its header."""

    header: tuple[str, ...]
    rows: Iterator[TypedRow]


def is_workbook(name: str, head: bytes) -> bool:
    """Whether a file is a workbook: Excel's old container, or a zip archive with a workbook's name."""
    zipped = head.startswith(b"PK\x03\x04") and name.lower().endswith((".xlsx", ".xlsm", ".xlsb", ".ods"))
    return zipped or head.startswith(_COMPOUND)


def is_parquet(head: bytes) -> bool:
    """Whether a file is Parquet."""
    return head.startswith(b"PAR1")


def sheets_of(data: bytes, table: Table, only: str | None = None) -> Iterator[Sheet]:
    """The sheets of a workbook that hold a table: those that fit its pattern, else the first; or only that one.

    Raises:
        Rejected: damaged-workbook, encrypted or missing-sheet.
    """
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(data))
        names = list(book.sheet_names)
        chosen = (
            [only] if only else [name for name in names if fnmatchcase(name, table.sheet)] if table.sheet else names[:1]
        )
        if not chosen:
            raise Rejected("missing-sheet", f"expected a sheet {table.sheet or ''}".strip())
        for name in chosen:
            yield _sheet(book.get_sheet_by_name(name), table)
    except calamine.PasswordError:
        raise Rejected("encrypted", "expected a workbook without a password") from None
    except Rejected:
        raise
    except Exception as error:  # each of its many errors means a file that is not what its name says
        raise Rejected("damaged-workbook", f"expected a readable workbook ({type(error).__name__})") from None


def _sheet(sheet: Any, table: Table) -> Sheet:
    first = (sheet.start or (0, 0))[0] + 1
    numbered = enumerate(sheet.iter_rows(), first)
    rows = (TypedRow(number, [text_of(cell) for cell in cells]) for number, cells in numbered)
    for _ in range(max(0, table.skip - first + 1)):
        next(rows, None)
    if table.header:
        return Sheet(table.header, rows)
    top = next(rows, TypedRow(0, []))
    return Sheet(tuple(name.strip() for name in top.fields), (row for row in rows if any(row.fields)))


def groups_of(path: Path) -> int:
    """The number of row groups of a Parquet file.

    Raises:
        Rejected: It is damaged.
    """
    with _opened(path) as file:
        return int(file.num_row_groups)


def facts_of(path: Path | IO[bytes]) -> dict[str, str]:
    """What a pulled Parquet file says of itself: its table and the new watermark.

    Raises:
        Rejected: It is damaged.
    """
    with _opened(path) as file:
        said = file.metadata.metadata or {}
    return {key.decode(): said[key].decode() for key in (TABLE_KEY, WATERMARK_KEY) if key in said}


def parquet_header(source: Path | IO[bytes]) -> tuple[str, ...]:
    """Names of the columns of a Parquet file.

    Raises:
        Rejected: It is damaged.
    """
    with _opened(source) as file:
        return tuple(file.schema_arrow.names)


def parquet_rows(source: Path | IO[bytes], group: int) -> Iterator[TypedRow]:
    """The rows of one row group, or of all (-1), numbered from 1 through the file.

    Raises:
        Rejected: It is damaged.
    """
    with _opened(source) as file:
        groups = range(file.num_row_groups)
        before = sum(file.metadata.row_group(one).num_rows for one in groups if 0 <= one < group)
        chosen = list(groups) if group < 0 else [group]
        number = before + 1
        try:
            for batch in file.iter_batches(_BATCH, row_groups=chosen):
                columns = [[text_of(value) for value in column.to_pylist()] for column in batch.columns]
                for fields in zip(*columns, strict=True):
                    yield TypedRow(number, list(fields))
                    number += 1
        except Exception as error:  # pyarrow raises OSError, ArrowException and others for damaged pages
            raise Rejected("damaged-parquet", f"expected readable Parquet ({type(error).__name__})") from None


def _opened(source: Path | IO[bytes]) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(source)
    except Exception as error:  # as above
        raise Rejected("damaged-parquet", f"expected readable Parquet ({type(error).__name__})") from None
