"""Check that a query reads only tables, and no files by path.

A view reads its files with the rights of the caller, so the engine needs access to them. A query must not have it, or
it could read rows that the view leaves out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xinglin.core.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from xinglin.release.syntax import Node

__all__ = ["check_tables_only"]

_FUNCTIONS = frozenset({"duckdb_columns", "duckdb_functions", "duckdb_tables", "duckdb_types", "generate_series",
                        "pragma_table_info", "range", "unnest"})  # fmt: skip
"""Table functions that read no file."""
_SCHEMAS = frozenset({"information_schema", "main", "memory", "pg_catalog", "system", "temp"})
_PLAIN = re.compile(r"\w*").fullmatch
_EXPLAIN = re.compile(r"\s*EXPLAIN\b(\s+ANALYZE\b)?(\s*\([^)]*\))?", re.IGNORECASE)


def check_tables_only(connection: duckdb.DuckDBPyConnection, question: str) -> None:
    """Refuse a query that reads anything but tables.

    Args:
        connection: Connection, used for its parser.
        question: One SELECT, or an EXPLAIN of one.

    Raises:
        UsageError: The query names a file, or a function that reads files.

    Example:
        >>> import duckdb
        >>> check_tables_only(duckdb.connect(), "SELECT count(*) FROM person, range(3)")
        >>> check_tables_only(duckdb.connect(), "FROM read_parquet('/a.parquet')")
        Traceback (most recent call last):
        xinglin.core.errors.UsageError: a query may read tables but no files (read_parquet). ...
    """
    from xinglin.release.syntax import all_nodes, parse

    for node in all_nodes(parse(connection, _EXPLAIN.sub("", question, count=1))):
        outside = _outside(node)
        if outside:
            raise UsageError(
                "a query may read tables but no files",
                source=outside,
                remedy='list the tables: xinglin sql "SHOW TABLES"',
            )


def _outside(node: Node) -> str:
    """What a node reads besides tables; empty if nothing."""
    if node.get("type") == "TABLE_FUNCTION":
        function = node["function"]
        named = function.get("qualified_name", {}).get("path") or [function.get("function_name", "")]
        return "" if str(named[-1]).lower() in _FUNCTIONS else str(named[-1])
    if node.get("type") == "BASE_TABLE":
        *before, name = node["qualified_name"]["path"]
        known = all(str(one).lower() in _SCHEMAS for one in before)
        return "" if known and _PLAIN(str(name)) else "a file's path"
    return ""
