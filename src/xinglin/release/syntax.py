"""A question as DuckDB's own syntax tree: JSON in, JSON out, and ways to walk it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import UsageError

if TYPE_CHECKING:
    import duckdb

__all__ = ["Node", "column_of", "everything", "expression", "function_of", "own", "parse", "unparse"]

Node = dict[str, Any]
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})


def parse(connection: duckdb.DuckDBPyConnection, question: str) -> Node:
    """The tree of the one SELECT that a question is.

    Raises:
        UsageError: It is not SQL, or not one SELECT.

    Example:
        >>> import duckdb
        >>> parse(duckdb.connect(), "SELECT 1")["type"]
        'SELECT_NODE'
    """
    rows = connection.execute("SELECT json_serialize_sql(?)", [question]).fetchall()
    content = json.loads(rows[0][0])
    if content.get("error") or len(content.get("statements", ())) != 1:
        raise UsageError(
            content.get("error_message") or "only one SELECT at a time is answered",
            source="your SQL",
            remedy="send one SELECT",
        )
    node: Node = content["statements"][0]["node"]
    return node


def unparse(connection: duckdb.DuckDBPyConnection, node: Node) -> str:
    """The SQL of a tree."""
    content = {"error": False, "statements": [{"node": node, "named_param_map": []}]}
    rows = connection.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(content)]).fetchall()
    return str(rows[0][0])


def expression(connection: duckdb.DuckDBPyConnection, sql: str, **parts: Node) -> Node:
    """The tree of one expression, in which column names that `parts` knows stand for other trees.

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


def everything(value: Any) -> Iterator[Node]:
    """Every node of a tree, the root first."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from everything(one)
    elif isinstance(value, list):
        for one in value:
            yield from everything(one)


def own(value: Any) -> Iterator[Node]:
    """Every node of an expression, without those of queries inside it."""
    if isinstance(value, dict):
        if value.get("type") in _QUERIES:
            return
        yield value
        for one in value.values():
            yield from own(one)
    elif isinstance(value, list):
        for one in value:
            yield from own(one)


def column_of(node: Node) -> str | None:
    """The name of the column that a node refers to, small letters; None where it is no reference."""
    if node.get("class") != "COLUMN_REF":
        return None
    return str(node["column_names"][-1]).lower()


def function_of(node: Node) -> str | None:
    """The name of the function that a node calls; None where it calls none."""
    if node.get("class") not in {"FUNCTION", "WINDOW"}:
        return None
    return str(node["qualified_name"]["path"][-1]).lower()
