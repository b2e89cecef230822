"""What a job sees: the tables of one person bucket, or the partial results, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES
from xinglin.contracts.model import Table
from xinglin.core.sql import parquet_list
from xinglin.lake import connect, table_relation
from xinglin.lake.without import select_without

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Tables", "bucket_tables", "partial_tables"]


class Tables:
    """Tables that can be asked in SQL or taken as Arrow.

    Args:
        connection: Shows them as views, and can reach nothing else.
        names: Their names.
        bucket: Number of the person bucket; None for partial results.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: Sequence[str], bucket: int | None = None) -> None:
        self._connection = connection
        self.names = tuple(names)
        self.bucket = bucket

    def sql(self, question: str, **values: Any) -> pa.Table:
        """The answer to one SELECT in DuckDB's SQL.

        Args:
            question: The SELECT; ``$name`` stands for a value.
            values: The values.
        """
        return self._connection.sql(question, params=values or None).to_arrow_table()

    def arrow(self, name: str) -> pa.Table:
        """All rows of one table.

        Args:
            name: The table; ``partials`` in combine.

        Raises:
            KeyError: There is no such table here.
        """
        if name not in self.names:
            raise KeyError(f"no table {name}; there are {', '.join(self.names)}")
        return self.sql(f'FROM "{name}"')


@contextmanager
def bucket_tables(
    contracts: Mapping[str, Table],
    files: Mapping[str, Sequence[str]],
    bucket: int,
    memory_mb: int,
    without: Collection[int] = (),
) -> Iterator[Tables]:
    """The tables of one bucket; one without rows there is shown empty.

    Args:
        contracts: The tables to show.
        files: Their files of this bucket on this machine; of all, where a table has no buckets. With persons to leave
            out also those of `xinglin.lake.without.needed`.
        bucket: Its number.
        memory_mb: Memory of the engine.
        without: Persons who are left out.
    """
    views = {
        name: select_without(table, files, TABLES, without) if files.get(name) else f"FROM {table_relation(table, [])}"
        for name, table in contracts.items()
    }
    with _shown(views, [path for paths in files.values() for path in paths], memory_mb) as connection:
        yield Tables(connection, list(views), bucket)


@contextmanager
def partial_tables(files: Sequence[str], memory_mb: int) -> Iterator[Tables]:
    """What the maps gave, one after the other in the order of the buckets, as the table ``partials``.

    Args:
        files: Their files, in that order.
        memory_mb: Memory of the engine.
    """
    views = {"partials": f"SELECT * FROM read_parquet({parquet_list(list(files))}, union_by_name = true)"}
    with _shown(views, files, memory_mb) as connection:
        yield Tables(connection, ["partials"])


@contextmanager
def _shown(views: Mapping[str, str], files: Sequence[str], memory_mb: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with one thread, so that rows keep one order, that reads these files only."""
    with TemporaryDirectory(prefix="xinglin-job-") as temp, connect(memory_mb, 1, Path(temp)) as connection:
        # A name in the SQL means a table of the mart, never a variable of the script.
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET allowed_paths = ?", [list(files)])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        for name, select in views.items():
            connection.execute(f'CREATE VIEW "{name}" AS {select}')
        yield connection
