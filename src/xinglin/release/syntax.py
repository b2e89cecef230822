"""Parse SQL to DuckDB's syntax tree (JSON), walk it, and write it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import UsageError

if TYPE_CHECKING:
    import duckdb

__all__ = ["Node", "all_nodes", "column_of", "expression", "function_of", "outer_nodes", "parse", "unparse"]

Node = dict[str, Any]
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})


def parse(connection: duckdb.DuckDBPyConnection, question: str) -> Node:
    """Parse one SELECT.

    Raises:
        UsageError: The text is not SQL, or not exactly one SELECT.

    Example:
        >>> import duckdb
        >>> parse(duckdb.connect(), "SELECT 1")["type"]
        'SELECT_NODE'
    """
    rows = connection.execute("SELECT json_serialize_sql(?)", [question]).fetchall()
    content = json.loads(rows[0][0])
    if content.get("error") or len(content.get("statements", ())) != 1:
        raise UsageError(
            content.get("error_message") or "the query is not one SELECT",
            source="your SQL",
            remedy="use exactly one SELECT",
        )
    node: Node = content["statements"][0]["node"]
    return node


def unparse(connection: duckdb.DuckDBPyConnection, node: Node) -> str:
    """Write a tree as SQL."""
    content = {"error": False, "statements": [{"node": node, "named_param_map": []}]}
    rows = connection.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(content)]).fetchall()
    return str(rows[0][0])


def expression(connection: duckdb.DuckDBPyConnection, sql: str, **parts: Node) -> Node:
    """Parse one expression; column names in `parts` are replaced by their trees.

    Example:
        >>> import duckdb
        >>> connection = duckdb.connect()
        >>> made = expression(connection, "one + 1", one=expression(connection, "a * b"))
        >>> unparse(connection, parse(connection, "SELECT 1") | {"select_list": [made]})
        'SELECT ((a * b) + 1)'
    """
    made: Node = _replaced(parse(connection, f"SELECT {sql}")["select_list"][0], parts)
    return made


def _replaced(value: Any, parts: dict[str, Node]) -> Any:
    if isinstance(value, list):
        return [_replaced(one, parts) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("class") == "COLUMN_REF" and len(value["column_names"]) == 1 and value["column_names"][0] in parts:
        return parts[value["column_names"][0]]
    return {key: _replaced(one, parts) for key, one in value.items()}


def all_nodes(value: Any) -> Iterator[Node]:
    """All nodes of a tree, the root first."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from all_nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from all_nodes(one)


def outer_nodes(value: Any) -> Iterator[Node]:
    """All nodes of an expression, without those of subqueries."""
    if isinstance(value, dict):
        if value.get("type") in _QUERIES:
            return
        yield value
        for one in value.values():
            yield from outer_nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from outer_nodes(one)


def column_of(node: Node) -> str | None:
    """Column name of a reference, in lower case; None for other nodes."""
    if node.get("class") != "COLUMN_REF":
        return None
    return str(node["column_names"][-1]).lower()


def function_of(node: Node) -> str | None:
    """Name of the called function, in lower case; None for other nodes."""
    if node.get("class") not in {"FUNCTION", "WINDOW"}:
        return None
    return str(node["qualified_name"]["path"][-1]).lower()
