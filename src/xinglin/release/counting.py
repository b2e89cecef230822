"""Count the persons behind each cell of an aggregate, in additional columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from xinglin.contracts.model import Table
from xinglin.core.errors import UsageError
from xinglin.release.syntax import Node, expression, function_of, outer_nodes

if TYPE_CHECKING:
    import duckdb

__all__ = ["COUNT", "count_persons", "is_aggregate", "is_distinct", "refused"]

COUNT = "xinglin_persons_"
"""Prefix of the counting columns."""
_AGGREGATES = frozenset(
    {
        "count", "count_star", "sum", "avg", "mean", "median", "stddev", "stddev_samp", "stddev_pop", "var_samp",
        "var_pop", "variance", "corr", "covar_pop", "covar_samp",
    }
)  # fmt: skip
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "year", "month", "date_diff", "datediff", "date_part"})


def refused(what: str, remedy: str) -> UsageError:
    """The error of a refused query: what is refused, and what to use instead."""
    return UsageError(what, source="your SQL", remedy=remedy)


def is_distinct(node: Node) -> bool:
    """Whether a SELECT has DISTINCT."""
    return any(one["type"] == "DISTINCT_MODIFIER" for one in node["modifiers"])


def is_aggregate(node: Node, aggregates: set[str]) -> bool:
    """Whether a node calls one of these aggregates, and not as a window function."""
    return node.get("class") == "FUNCTION" and function_of(node) in aggregates


def count_persons(
    connection: duckdb.DuckDBPyConnection, root: Node, aggregates: set[str], released: Mapping[str, Table]
) -> tuple[Node, tuple[tuple[int, ...], ...]]:
    """Add columns to the outermost SELECT that count the persons behind each cell."""
    if len(root["group_sets"]) > 1:
        raise refused("GROUPING SETS, ROLLUP and CUBE reveal small cells", "use a plain GROUP BY")
    if any(one.get("class") in {"WINDOW", "STAR"} for one in outer_nodes(root["select_list"])):
        raise refused(
            "a star or a window function next to aggregates is not supported",
            "name the columns; remove window functions",
        )
    persons = _persons_sql(root, released)
    root = dict(root)
    if not root["group_expressions"] and is_distinct(root):
        root |= {
            "modifiers": [one for one in root["modifiers"] if one["type"] != "DISTINCT_MODIFIER"],
            "aggregate_handling": "FORCE_AGGREGATES",
        }
    asked, added = len(root["select_list"]), [expression(connection, f"{persons('')} AS {COUNT}0")]
    counters: list[tuple[int, ...]] = []
    for item in root["select_list"]:
        calls = [one for one in outer_nodes(item) if is_aggregate(one, aggregates)]
        places = []
        for call in calls:
            parts = _conditions(call)
            places.append(asked + len(added))
            condition = " AND ".join(f"({name})" if name == "given" else f"({name} IS NOT NULL)" for name in parts)
            added.append(expression(connection, f"{persons(condition)} AS {COUNT}{len(added)}", **parts))
        counters.append(tuple(places) or (asked,))
    return root | {"select_list": [*root["select_list"], *added]}, tuple(counters)


def _conditions(call: Node) -> dict[str, Node]:
    """Conditions on the rows that an aggregate uses; refuses aggregates that can reveal one person's value."""
    name = function_of(call)
    if name not in _AGGREGATES:
        raise refused(
            f"{name} can reveal the value of a single person",
            f"use one of {', '.join(sorted(_AGGREGATES - {'count_star'}))}",
        )
    parts: dict[str, Node] = {"given": call["filter"]} if call.get("filter") else {}
    for number, argument in enumerate(call["arguments"]):
        for one in outer_nodes(argument["expression"]):
            if one.get("class") in {"COLUMN_REF", "CONSTANT", None} or function_of(one) in _ARITHMETIC:
                continue
            raise refused(
                f"the argument of {name} must be a column or simple arithmetic", "use FILTER (WHERE …) or GROUP BY"
            )
        parts[f"argument_{number}"] = argument["expression"]
    return parts


def _persons_sql(root: Node, released: Mapping[str, Table]) -> Any:
    """A function that writes the SQL to count the distinct persons of a group under a condition."""
    names = list(_holders(root["from_table"], released))
    if not names:
        raise refused("the number of persons behind the aggregate is unknown", "keep person_id in the subquery")

    def sql(condition: str) -> str:
        given = f" FILTER (WHERE {condition})" if condition else ""
        counts = [f'count(DISTINCT "{name}".person_id){given}' for name in names]
        return f"least({', '.join(counts)})" if len(counts) > 1 else counts[0]

    return sql


def _holders(source: Node, released: Mapping[str, Table]) -> Iterator[str]:
    """Tables of a FROM whose rows belong to persons; for outer joins only the preserved side."""
    if source["type"] == "JOIN":
        if source["join_type"] not in {"RIGHT", "RIGHT_SEMI", "RIGHT_ANTI"}:
            yield from _holders(source["left"], released)
        if source["join_type"] not in {"LEFT", "SEMI", "ANTI"}:
            yield from _holders(source["right"], released)
        return
    name = str(source.get("alias") or source.get("table_name") or "").replace('"', '""')
    if source["type"] == "BASE_TABLE":
        table = released.get(source["table_name"].lower())
        if table is None or "person_id" in table.column_names:
            yield name
    elif source["type"] == "SUBQUERY" and name:
        yield name
