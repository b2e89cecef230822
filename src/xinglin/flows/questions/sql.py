"""SQL over the pseudonymous zone: one SELECT, read-only, with no way out to the disk or the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.contracts.model import Table
from xinglin.core.errors import UsageError
from xinglin.release.tables_only import check_tables_only

if TYPE_CHECKING:
    import duckdb

    from xinglin.admission.stores import Stores
    from xinglin.lake import Snapshot

__all__ = ["Answer", "ask", "open_mart"]


@dataclass(frozen=True)
class Answer:
    """What a question gave: column names, and rows that are read as they are needed."""

    columns: list[str]
    cursor: duckdb.DuckDBPyConnection

    def rows(self, at_once: int = 10_000) -> Iterator[tuple[Any, ...]]:
        """The rows, in bounded memory."""
        while batch := self.cursor.fetchmany(at_once):
            yield from batch


def ask(stores: Stores, question: str) -> Answer:
    """Answer one SELECT over the mart and the vocabulary.

    Args:
        stores: The region.
        question: One statement of DuckDB's SQL that only reads.

    Raises:
        UsageError: It is not one reading statement, or not SQL, or names something the zone does not hold.
        NotFound: No mart was built yet.
    """
    import duckdb

    connection = open_mart(stores, question)
    try:
        statements = connection.extract_statements(question)
        if len(statements) != 1 or statements[0].type not in {
            duckdb.StatementType.SELECT,
            duckdb.StatementType.EXPLAIN,
        }:
            raise UsageError(
                "only one SELECT at a time is answered", source="the mart is read-only", remedy="send one SELECT"
            )
        check_tables_only(connection, question)
        cursor = connection.execute(statements[0])
    except duckdb.Error as error:
        # The first lines name the place; DuckDB quotes the question, never a stored value, in binder and parser errors.
        raise UsageError(
            str(error).strip(), source="your SQL", remedy='xinglin sql "SHOW TABLES" lists what can be asked'
        ) from error
    return Answer([column[0] for column in cursor.description or []], cursor)


def open_mart(stores: Stores, question: str | None = None) -> duckdb.DuckDBPyConnection:
    """A connection that sees every table of the last published mart and vocabulary, and nothing else.

    Persons whom the permit leaves out are in no table.

    Args:
        stores: The region.
        question: What will be asked. Tables it does not name are shown but cannot be read, and so need not be opened,
            nor fetched from a lake elsewhere.

    Raises:
        NotFound: No mart was built yet.
    """
    from xinglin.lake import connect

    settings = stores.settings
    connection = connect(settings.memory_mb, settings.workers, settings.home / "tmp")
    mart = stores.lake.require("mart", "run: xinglin run")
    named = None if question is None else set(re.findall(r"\w+", question.lower()))
    without = stores.lake.permit.without
    allowed = _views(connection, mart, TABLES, named, without)
    vocabulary = stores.lake.snapshot("vocabulary")
    allowed += _views(connection, vocabulary, VOCABULARY_TABLES, named)
    connection.execute("SET allowed_paths = ?", [allowed])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _views(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot | None,
    tables: dict[str, Table],
    named: set[str] | None,
    without: frozenset[int] = frozenset(),
) -> list[str]:
    from xinglin.lake.without import needed, select_without

    allowed: list[str] = []
    more: dict[str, list[str]] = {}
    if snapshot and without:
        asked = tables if named is None else named & set(tables)
        more = {name: snapshot.files(name) for name in needed(asked, tables) if snapshot.tables.get(name)}
        allowed += [path for paths in more.values() for path in paths]
    for name, table in tables.items():
        stored = bool(snapshot and snapshot.tables.get(name))
        if stored and named is not None and name not in named:
            connection.execute(_closed(name, table))
            continue
        files = snapshot.files(name) if snapshot and stored else []
        if files:
            select = select_without(table, more | {name: files}, tables, without)
            connection.execute(f"CREATE VIEW {name} AS {select}")
            allowed += files
        else:
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            connection.execute(f"CREATE TABLE {name} ({columns})")
    return allowed


def _closed(name: str, table: Table) -> str:
    """A view with the table's columns that refuses to be read, so that no question gets an empty table by mistake."""
    columns = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in table.columns)
    refusal = f"error('write the name {name} into the question')::BOOLEAN"
    return f"CREATE VIEW {name} AS SELECT {columns} FROM (SELECT 1) WHERE {refusal}"
