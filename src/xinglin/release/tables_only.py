"""Whether a question stays inside the tables that it is shown, or reads files by their paths.

A view reads its files with the rights of whoever asks it, so the engine must be let at them; the question must not be,
or it would see the rows that the view leaves out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xinglin.core.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from xinglin.release.syntax import Node

__all__ = ["stay_inside"]

_FUNCTIONS = frozenset({"duckdb_columns", "duckdb_functions", "duckdb_tables", "duckdb_types", "generate_series",
                        "pragma_table_info", "range", "unnest"})  # fmt: skip
"""Table functions that read no file."""
_SCHEMAS = frozenset({"information_schema", "main", "memory", "pg_catalog", "system", "temp"})
_PLAIN = re.compile(r"\w*").fullmatch
_EXPLAIN = re.compile(r"\s*EXPLAIN\b(\s+ANALYZE\b)?(\s*\([^)]*\))?", re.IGNORECASE)


def stay_inside(connection: duckdb.DuckDBPyConnection, question: str) -> None:
    """Pass, or refuse a question that reads anything but tables.

    Args:
        connection: Used for its parser.
        question: One SELECT, or an EXPLAIN of one.

    Raises:
        UsageError: It names a file, or a function that reads one.

    Example:
        >>> import duckdb
        >>> stay_inside(duckdb.connect(), "SELECT count(*) FROM person, range(3)")
        >>> stay_inside(duckdb.connect(), "FROM read_parquet('/a.parquet')")
        Traceback (most recent call last):
        xinglin.core.errors.UsageError: a question reads tables, and no files by their paths (read_parquet). ...
    """
    from xinglin.release.syntax import everything, parse

    for node in everything(parse(connection, _EXPLAIN.sub("", question, count=1))):
        outside = _outside(node)
        if outside:
            raise UsageError(
                "a question reads tables, and no files by their paths",
                source=outside,
                remedy='xinglin sql "SHOW TABLES" lists what can be asked',
            )


def _outside(node: Node) -> str:
    """What a node names that is no table; empty for nothing."""
    if node.get("type") == "TABLE_FUNCTION":
        function = node["function"]
        named = function.get("qualified_name", {}).get("path") or [function.get("function_name", "")]
        return "" if str(named[-1]).lower() in _FUNCTIONS else str(named[-1])
    if node.get("type") == "BASE_TABLE":
        *before, name = node["qualified_name"]["path"]
        known = all(str(one).lower() in _SCHEMAS for one in before)
        return "" if known and _PLAIN(str(name)) else "a file's path"
    return ""
