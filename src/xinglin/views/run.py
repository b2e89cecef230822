"""Run a compiled view; errors never contain a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import ContractViolation, StorageError
from xinglin.fhirpath.errors import SeveralValues, WrongType
from xinglin.fhirpath.sql import SEVERAL
from xinglin.views.column import MISFIT

if TYPE_CHECKING:
    import duckdb

__all__ = ["fetch", "view_errors"]


@contextmanager
def view_errors() -> Iterator[None]:
    """Translate DuckDB's errors.

    Raises:
        SeveralValues: A column that is not a collection has several values.
        WrongType: A value does not fit the SQL type of a tag.
        StorageError: Not enough memory or disk space.
        ContractViolation: Any other error of DuckDB: the compiled query is wrong.
    """
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise StorageError(
            "the view needs more memory or disk space", remedy="increase memory_mb or free disk space", retry=True
        ) from error
    except duckdb.Error as error:
        # DuckDB's messages can contain values of records; only messages raised by the query itself are passed on.
        _raise_own(str(error))
        raise ContractViolation(f"the view's query does not run ({type(error).__name__})") from None


def _raise_own(message: str) -> None:
    if SEVERAL in message:
        raise SeveralValues(
            SEVERAL, source=_place(message, SEVERAL), remedy="set collection: true, or use first()"
        ) from None
    if MISFIT in message:
        raise WrongType(MISFIT, source=_place(message, MISFIT), remedy="choose a wider type") from None


def _place(message: str, beginning: str) -> str:
    return message.partition(f"{beginning}: ")[2].partition("\n")[0]


def fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """All rows of a query, with the names of its columns.

    Args:
        connection: Any DuckDB connection.
        sql: From `CompiledView.sql`.
    """
    with view_errors():
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description or []], cursor.fetchall()
