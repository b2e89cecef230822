"""Rows of a database as Parquet files, which are then the originals that are landed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import BadInput, UsageError
from xinglin.sources.tabular.chosen import PULLED
from xinglin.sources.tabular.compile.resources import used_columns
from xinglin.sources.tabular.databases.connect import connected, source_of, sql_name
from xinglin.sources.tabular.files import typed
from xinglin.sources.tabular.files.cells import text_of
from xinglin.sources.tabular.load import load_mapping
from xinglin.sources.tabular.mapping.file import Table

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Pulled", "mark_text", "mark_value", "pull"]

_FETCH = 20_000
_READERS: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "int": int,
    "float": float,
    "Decimal": Decimal,
    "str": str,
}


@dataclass(frozen=True)
class Pulled:
    """What was read of one table.

    Args:
        table: Its name in the mapping.
        path: The file; None where there were no rows.
        rows: Their number.
        watermark: The greatest value of the watermark column so far, with its kind; None without one.
    """

    table: str
    path: Path | None
    rows: int
    watermark: str | None


def pull(
    url: str,
    mapping: str,
    marks: Mapping[str, str],
    folder: Path,
    progress: Callable[[int], None] | None = None,
) -> list[Pulled]:
    """Read the rows of a database that are new since the last pull.

    Args:
        url: Of the database, such as ``postgresql://reader:password@host/his``.
        mapping: Text of the mapping file; its tables that name a database table or a query are read.
        marks: Watermarks of the last pull by table.
        folder: Where the files are written, ``<table>.pulled.parquet``.
        progress: Told of the rows read so far.

    Raises:
        UsageError: The URL cannot be used, or no table of the mapping is a database's.
        StorageError: The database cannot be reached.
        BadInput: The mapping or the database refuses.
    """
    found = load_mapping(mapping)
    tables = [table for table in found.tables.values() if table.table or table.query]
    if not tables:
        raise UsageError("no table of the mapping is read from a database", remedy="say table or query in the mapping")
    pulled: list[Pulled] = []
    with connected(url) as connection:
        for table in tables:
            reader = _Reader(connection, table, used_columns(found, table), marks.get(table.name))
            before = sum(one.rows for one in pulled)
            pulled.append(reader.write(folder, _counting(progress, before)))
    return pulled


def _counting(progress: Callable[[int], None] | None, before: int) -> Callable[[int], None]:
    return lambda rows: progress(before + rows) if progress else None


def mark_text(value: Any) -> str:
    """A watermark as text that remembers its kind.

    Example:
        >>> mark_text(17), mark_value(mark_text(datetime(2024, 1, 2, 3)))
        ('int 17', datetime.datetime(2024, 1, 2, 3, 0))
    """
    kind = type(value).__name__
    if kind not in _READERS:
        raise BadInput(f"a column of type {kind} cannot be a watermark", remedy="name a column of numbers or times")
    return f"{kind} {value.isoformat() if isinstance(value, date) else value}"


def mark_value(text: str) -> Any:
    """The value of a watermark, for comparing in the database."""
    kind, _, value = text.partition(" ")
    return _READERS[kind](value)


class _Reader:
    """One table being read."""

    def __init__(self, connection: Connection, table: Table, used: list[str], mark: str | None) -> None:
        self.connection = connection
        self.table = table
        self.mark = mark
        self.source = source_of(table.table, table.query)
        self.columns = self._columns(used)

    def _columns(self, used: list[str]) -> list[str]:
        """The columns that the mapping reads, and those that order the rows; nothing else leaves the database."""
        import sqlalchemy as sa

        look = sa.select(sa.text("*")).select_from(self.source).where(sa.false())
        there = list(self.connection.execute(look).keys())
        wanted = dict.fromkeys([*used, *self.table.key, *([self.table.watermark] if self.table.watermark else [])])
        missing = [name for name in wanted if name not in there and not self.table.column(name).optional]
        if missing:
            what = f"the database has no column {', '.join(missing[:10])}"
            raise BadInput(what, source=f"table {self.table.name}", remedy="mend the mapping")
        return [name for name in wanted if name in there]

    def _rows(self) -> Iterator[list[Any]]:
        import sqlalchemy as sa

        statement: Any = sa.select(*[sa.column(sql_name(name)) for name in self.columns]).select_from(self.source)
        order = list(self.table.key)
        if self.table.watermark:
            column: Any = sa.column(sql_name(self.table.watermark))
            order = [self.table.watermark, *order]
            if self.mark is not None:
                statement = statement.where(sa.or_(column >= mark_value(self.mark), column.is_(None)))
        statement = statement.order_by(*[sa.column(sql_name(name)) for name in dict.fromkeys(order)])
        options = {"stream_results": True, "yield_per": _FETCH}
        for block in self.connection.execution_options(**options).execute(statement).partitions(_FETCH):
            yield [list(column) for column in zip(*block, strict=True)]

    def write(self, folder: Path, told: Callable[[int], None]) -> Pulled:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = folder / f"{self.table.name}{PULLED}"
        schema = pa.schema([(name, pa.string()) for name in self.columns])
        place = self.columns.index(self.table.watermark) if self.table.watermark else -1
        highest = None if self.mark is None else mark_value(self.mark)
        rows = 0
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for block in self._rows():
                if place >= 0:
                    highest = max((value for value in (highest, *block[place]) if value is not None), default=None)
                cells = [[None if cell is None else text_of(cell) for cell in column] for column in block]
                writer.write_table(pa.table(cells, schema=schema))
                rows += len(block[0])
                told(rows)
            mark = None if highest is None else mark_text(highest)
            writer.add_key_value_metadata({typed.TABLE_KEY.decode(): self.table.name})
            if mark is not None:
                writer.add_key_value_metadata({typed.WATERMARK_KEY.decode(): mark})
        if not rows:
            path.unlink()
        return Pulled(self.table.name, path if rows else None, rows, mark)
