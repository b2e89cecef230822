"""Run a compiled query, and say what went wrong without saying a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import ContractViolation
from xinglin.views.column import MISFIT
from xinglin.views.errors import SeveralValues, WrongType
from xinglin.views.expressions import SEVERAL

if TYPE_CHECKING:
    import duckdb

__all__ = ["fetch", "view_errors"]


@contextmanager
def view_errors() -> Iterator[None]:
    """Turn the query's errors into ours.

    Raises:
        SeveralValues: A column that is no collection met several values.
        WrongType: A value does not fit the SQL type that a tag asks for.
        ContractViolation: Anything else DuckDB refuses: the compiler wrote a query that does not run.
    """
    import duckdb

    try:
        yield
    except (duckdb.InvalidInputException, duckdb.BinderException, duckdb.ConversionException) as error:
        text = str(error)
        for beginning, kind in ((SEVERAL, SeveralValues), (MISFIT, WrongType)):
            if beginning in text:
                place = text.partition(f"{beginning}: ")[2].splitlines()[0]
                raise kind(
                    beginning,
                    source=place,
                    remedy="say collection: true, or take first()" if kind is SeveralValues else "choose a wider type",
                ) from None
        raise ContractViolation(f"the view's query does not run ({type(error).__name__})") from error


def fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """All rows of a query, with the names of its columns.

    Args:
        connection: Any DuckDB connection.
        sql: From `CompiledView.sql`.
    """
    with view_errors():
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description or []], cursor.fetchall()
