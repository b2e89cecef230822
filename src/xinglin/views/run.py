"""Run a compiled query, and say what went wrong without saying a value."""

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
    """Turn the query's errors into ours.

    Raises:
        SeveralValues: A column that is no collection met several values.
        WrongType: A value does not fit the SQL type that a tag asks for.
        StorageError: There is not enough memory or disk.
        ContractViolation: Anything else DuckDB refuses: the compiler wrote a query that does not run.
    """
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise StorageError(
            "the view needs more memory or disk than there is", remedy="raise memory_mb or free room", retry=True
        ) from error
    except duckdb.Error as error:
        # What DuckDB says can hold a value of a record; only what our own query says about itself is passed on.
        _tell(str(error))
        raise ContractViolation(f"the view's query does not run ({type(error).__name__})") from None


def _tell(said: str) -> None:
    if SEVERAL in said:
        raise SeveralValues(
            SEVERAL, source=_place(said, SEVERAL), remedy="say collection: true, or take first()"
        ) from None
    if MISFIT in said:
        raise WrongType(MISFIT, source=_place(said, MISFIT), remedy="choose a wider type") from None


def _place(said: str, beginning: str) -> str:
    return said.partition(f"{beginning}: ")[2].partition("\n")[0]


def fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """All rows of a query, with the names of its columns.

    Args:
        connection: Any DuckDB connection.
        sql: From `CompiledView.sql`.
    """
    with view_errors():
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description or []], cursor.fetchall()
