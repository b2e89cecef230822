"""The DuckDB session of one task: macros, variables, code maps; and Parquet files written per person bucket."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any

from xinglin.contracts.model import Table
from xinglin.core.errors import StorageError
from xinglin.core.sql import parquet_list, quote
from xinglin.lake import Lake, connect
from xinglin.mart.expressions import LOOK_UPS, MACROS, UNCONDITIONAL
from xinglin.mart.queries import code_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

__all__ = [
    "EVENT_COLUMNS",
    "Context",
    "LookUps",
    "close_sessions",
    "create_table",
    "open_session",
    "read_parquet_sql",
    "write_table",
]

_MAPS = {
    "code_system": "system VARCHAR, vocabulary_id VARCHAR",
    "comparator": "code VARCHAR, concept_id INTEGER, name VARCHAR",
    "currency": "code VARCHAR, concept_id INTEGER, name VARCHAR",
    "domain_table": "domain_id VARCHAR, table_name VARCHAR",
    "gender": "code VARCHAR, concept_id INTEGER, name VARCHAR",
    "unit": "code VARCHAR, concept_id INTEGER, name VARCHAR",
    "visit_class": "code VARCHAR, concept_id INTEGER, name VARCHAR",
}
EVENT_COLUMNS: dict[str, str] = {
    "row_id": "BIGINT", "resource_key": "BIGINT", "source": "INTEGER", "row": "BIGINT", "person_id": "BIGINT",
    "is_part": "BOOLEAN", "home": "VARCHAR", "fixed": "BOOLEAN", "is_allergy": "BOOLEAN", "why": "VARCHAR",
    "code": "VARCHAR", "start_date": "DATE", "start_datetime": "TIMESTAMP", "end_date": "DATE",
    "end_datetime": "TIMESTAMP", "verbatim_end_date": "DATE", "visit_occurrence_id": "BIGINT",
    "provider_id": "BIGINT", "care_site_id": "BIGINT", "unresolved": "INTEGER", "odd_start": "BOOLEAN",
    "odd_end": "BOOLEAN", "value_number": "DOUBLE", "value_string": "VARCHAR", "value_code": "VARCHAR",
    "value_truth": "VARCHAR", "value_source_value": "VARCHAR", "comparator": "VARCHAR", "unit": "VARCHAR",
    "is_ucum": "BOOLEAN", "range_low": "DOUBLE", "range_high": "DOUBLE", "status_concept_id": "INTEGER",
    "status_source_value": "VARCHAR", "qualifier": "VARCHAR", "stop_reason": "VARCHAR", "refills": "INTEGER",
    "quantity": "DOUBLE", "days_supply": "INTEGER", "sig": "VARCHAR", "route_code": "VARCHAR",
    "lot_number": "VARCHAR", "dose_unit": "VARCHAR", "part_of": "BIGINT", "visit_class": "VARCHAR",
    "is_visit_class": "BOOLEAN", "admitted_from": "VARCHAR", "discharged_to": "VARCHAR", "note_text": "VARCHAR",
    "note_title": "VARCHAR", "total_charge": "DOUBLE", "paid_by_payer": "DOUBLE", "currency": "VARCHAR",
}  # fmt: skip
"""The one shape that every event query yields parts of; what a query does not name is NULL."""
_LOOKUP = (
    "vocabulary_id VARCHAR, concept_code VARCHAR, source_concept_id INTEGER, concept_id INTEGER, domain_id VARCHAR"
)


@dataclass(frozen=True)
class Context:
    """What all tasks of one build share.

    Args:
        lake: Where the tables go.
        scratch: Folder for unfinished files.
        buckets: Number of person buckets.
        memory_mb: Memory of all tasks of one process.
        person_map: File of the patients of every person that the mart can hold, as person_map.
        lookup: Files of the table concept_lookup; empty without a vocabulary.
        variables: Switches the queries read with getvariable, by name.
    """

    lake: Lake
    scratch: Path
    buckets: int
    memory_mb: int
    person_map: str
    lookup: tuple[str, ...]
    variables: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class LookUps:
    """What tasks look up in other resources of their sites: Parquet files, with the site of each.

    Args:
        identifier: The resources that conditional references name, by identifier.
        coded: The codes of resources that others refer to.
    """

    identifier: tuple[tuple[str, str], ...] = ()
    coded: tuple[tuple[str, str], ...] = ()


def read_parquet_sql(paths: tuple[str, ...] | list[str], columns: str) -> str:
    """A FROM item over Parquet files; an empty one with these columns where there is no file.

    Example:
        >>> read_parquet_sql([], "a BIGINT")
        '(SELECT NULL::BIGINT AS a WHERE false)'
        >>> read_parquet_sql(["/x.parquet"], "a BIGINT")
        "read_parquet(['/x.parquet'])"
    """
    if paths:
        return f"read_parquet({parquet_list(list(paths))})"
    typed = (column.strip().split(" ") for column in columns.split(","))
    return f"(SELECT {', '.join(f'NULL::{kind} AS {name}' for name, kind in typed)} WHERE false)"


@contextmanager
def open_session(
    context: Context, variables: Mapping[str, Any], look_ups: LookUps | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which the mart's queries run; closed when the block ends.

    Args:
        context: What all tasks share.
        variables: What this task's queries read with getvariable, in addition to the context's own.
        look_ups: What the task looks up in other resources of its sites; None where it needs nothing.
    """
    connection = _engine(context).cursor()
    try:
        for name, value in {**dict(context.variables), "buckets": context.buckets, **variables}.items():
            connection.execute(f"SET VARIABLE {name} = ?", [list(value) if isinstance(value, tuple) else value])
        for name, macro in LOOK_UPS.items():
            found = getattr(look_ups, name, ())
            if found:
                rows = (
                    f"SELECT {quote(site)} AS of_site, * FROM {read_parquet_sql([path], '')}" for site, path in found
                )
                connection.execute(f"CREATE TEMP TABLE {name} AS {' UNION ALL '.join(rows)}")
                connection.execute(macro)
        yield connection
    finally:
        connection.close()


def close_sessions() -> None:
    """Close the engine that the sessions of the last build shared."""
    with _LOCK:
        for engine in _ENGINES.values():
            engine.close()
        _ENGINES.clear()


_LOCK = Lock()
_ENGINES: dict[Context, duckdb.DuckDBPyConnection] = {}


def _engine(context: Context) -> duckdb.DuckDBPyConnection:
    """The engine that all tasks of a build in this process share: code maps and macros are loaded once.

    It has one thread, so each task runs in the thread that calls it and its rows keep one order.
    """
    with _LOCK:
        if context not in _ENGINES:
            connection = connect(context.memory_mb, 1, context.scratch)
            for macro in (*UNCONDITIONAL, *MACROS):
                connection.execute(macro)
            shape = ", ".join(f"{name} {kind}" for name, kind in EVENT_COLUMNS.items())
            connection.execute(f"CREATE TABLE event_shape ({shape})")
            for name, columns in _MAPS.items():
                _load_map(connection, name, columns)
            _load_vocabulary(connection, context)
            _ENGINES[context] = connection
        return _ENGINES[context]


def _load_vocabulary(connection: duckdb.DuckDBPyConnection, context: Context) -> None:
    """Show the loaded vocabulary; it knows more units than the small map of our own."""
    lookup = read_parquet_sql(context.lookup, _LOOKUP)
    connection.execute(f"CREATE VIEW concept_lookup AS SELECT * FROM {lookup}")
    connection.execute(
        "INSERT INTO unit SELECT concept_code, min(concept_id), '' FROM concept_lookup "
        "WHERE vocabulary_id = 'UCUM' AND concept_id <> 0 AND concept_code NOT IN (SELECT code FROM unit) "
        "GROUP BY concept_code"
    )


def _load_map(connection: duckdb.DuckDBPyConnection, name: str, columns: str) -> None:
    table = "gender_concept" if name == "gender" else name
    connection.execute(f"CREATE TABLE {table} ({columns})")
    connection.execute(f"COPY {table} FROM {quote(str(code_map(name)))} (FORMAT csv, HEADER)")


def create_table(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """Materialise a SELECT as a temporary table of the session."""
    connection.execute(f"CREATE TEMP TABLE {name} AS {select}")


def write_table(
    connection: duckdb.DuckDBPyConnection, table: Table, select: str, folder: Path
) -> list[tuple[Path, int | None]]:
    """Write what a SELECT gives in the contract's columns and types, one file per person bucket.

    Args:
        connection: From `open_session`.
        table: The contract. A bucketed one needs the column ``bucket`` in the SELECT.
        select: The SELECT; it orders its rows wholly.
        folder: A fresh folder is made in it, so that a second attempt at the same task never meets the first's files.

    Returns:
        The files and their buckets; none where there are no rows.

    Raises:
        StorageError: The disk refused.
    """
    import duckdb

    columns = ", ".join(f"{column.name}::{column.type} AS {column.name}" for column in table.columns)
    options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = Path(mkdtemp(prefix=f"{table.name}-", dir=folder))
        if not table.bucketed:
            path = target / "0.parquet"
            row = connection.execute(f"COPY (SELECT {columns} FROM ({select})) TO {quote(str(path))} ({options})")
            return [(path, None)] if (row.fetchone() or (0,))[0] else []
        connection.execute(
            f"COPY (SELECT {columns}, bucket FROM ({select})) TO {quote(str(target))} "
            f"({options}, PARTITION_BY (bucket), OVERWRITE_OR_IGNORE)"
        )
    except duckdb.IOException as error:
        raise StorageError(
            "a table file could not be written", source=table.name, remedy="free some room on the disk", retry=True
        ) from error
    return [(path, int(path.parent.name.removeprefix("bucket="))) for path in sorted(target.glob("bucket=*/*.parquet"))]
