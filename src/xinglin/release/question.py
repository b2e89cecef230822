"""Analyse the query of an extract: what it may use, and which persons have to be counted.

A query over de-identified views returns either rows about persons, whose risk is measured, or aggregates over persons,
whose small cells are suppressed. The outermost SELECT must show which of the two it is; a query that hides it is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xinglin.contracts.model import Table
from xinglin.release.counting import COUNT, count_persons, is_aggregate, is_distinct, refused
from xinglin.release.syntax import Node, all_nodes, column_of, function_of, outer_nodes, parse, unparse
from xinglin.release.treatment import QUASI, WITHHELD_TABLES, withheld_reason

if TYPE_CHECKING:
    import duckdb

__all__ = ["Question", "analyse"]

_SOURCES = frozenset({"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY"})


@dataclass(frozen=True)
class Question:
    """A permitted query.

    Args:
        sql: SQL to run; counting columns follow the requested columns.
        kind: ``rows`` about persons, ``cells`` over persons, or ``public`` without personal data.
        tables: Tables of the mart that it uses.
        columns: Names of used columns in lower case; None if it can use all.
        counters: For cells: indexes of the counting columns of each column.
        persons: Possible names of the person pseudonym in the result.
        quasi: Possible names of quasi-identifiers in the result.
    """

    sql: str
    kind: str
    tables: frozenset[str]
    columns: frozenset[str] | None
    counters: tuple[tuple[int, ...], ...] = ()
    persons: frozenset[str] = frozenset()
    quasi: frozenset[str] = frozenset()


def analyse(connection: duckdb.DuckDBPyConnection, question: str, released: Mapping[str, Table]) -> Question:
    """Analyse a query and refuse what cannot be de-identified.

    Args:
        connection: Connection, used for its parser.
        question: One SELECT.
        released: Tables that may be used.

    Raises:
        UsageError: Says what must not leave the region and what to use instead.

    Example:
        >>> import duckdb
        >>> from xinglin.release.treatment import RELEASED
        >>> asked = analyse(duckdb.connect(), "SELECT gender_concept_id, count(*) FROM person GROUP BY 1", RELEASED)
        >>> asked.kind, asked.counters
        ('cells', ((2,), (3,)))
    """
    root = parse(connection, question)
    tables = _sources(root, released)
    _words(root)
    known = {row[0] for row in connection.execute(_FUNCTIONS).fetchall()}
    with_person = {name for name in tables if "person_id" in released[name].column_names}
    asked = Question(
        question,
        "public",
        frozenset(tables),
        _columns(root),
        persons=_names(root, frozenset({"person_id"}), plain=True),
        quasi=_names(root, QUASI, plain=False),
    )
    if not with_person:
        return asked
    for node in _selects(root):
        if node is not root and _aggregated(node, known) and not _keeps_person(node):
            raise refused(
                "an aggregate in a subquery hides the number of persons behind it",
                "GROUP BY person_id there, or aggregate only in the outermost SELECT",
            )
    if root["type"] != "SELECT_NODE" or not _aggregated(root, known) or _keeps_person(root):
        _named(root, asked.quasi | asked.persons)
        return replace(asked, kind="rows")
    rewritten, counters = count_persons(connection, root, known, released)
    return replace(asked, sql=unparse(connection, rewritten), kind="cells", counters=counters)


def _named(root: Node, telling: frozenset[str]) -> None:
    """Refuse unnamed result columns that are computed from personal columns."""
    for node in _selects(root):
        for item in node["select_list"]:
            plain = item.get("alias") or item.get("class") in {"COLUMN_REF", "STAR"}
            if not plain and any(column_of(one) in telling for one in outer_nodes(item)):
                raise refused("a column computed from personal data has no name", "add: … AS name")


_FUNCTIONS = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"


def _sources(root: Node, released: Mapping[str, Table]) -> set[str]:
    """The used tables; refuses everything except released tables, joins and subqueries."""
    named = {entry["key"].lower() for node in all_nodes(root) for entry in (node.get("cte_map") or {}).get("map", ())}
    found: set[str] = set()
    for node in all_nodes(root):
        if node.get("type") == "RECURSIVE_CTE_NODE":
            raise refused("a recursive query is not supported", "remove RECURSIVE")
        source = node.get("from_table")
        for one in _joined(source) if source else ():
            if one["type"] not in _SOURCES or one.get("column_name_alias"):
                raise refused(
                    "only tables, joins and subqueries are supported", "use tables of xinglin sql 'SHOW TABLES'"
                )
            if one["type"] == "BASE_TABLE":
                name = one["table_name"].lower()
                if name in named and len(one["qualified_name"]["path"]) == 1:
                    continue
                if name in WITHHELD_TABLES:
                    raise refused(f"the table {name} is not released", f"remove it: {WITHHELD_TABLES[name]}")
                if name not in released or len(one["qualified_name"]["path"]) != 1:
                    raise refused(f"there is no released table {name}", "use tables of xinglin sql 'SHOW TABLES'")
                found.add(name)
    if any(
        entry["value"]["aliases"] for node in all_nodes(root) for entry in (node.get("cte_map") or {}).get("map", ())
    ):
        raise refused("a WITH with column names is not supported", "name the columns in its SELECT")
    if named & set(released):
        raise refused("a WITH has the name of a table", "use another name")
    return found


def _joined(source: Node) -> Iterator[Node]:
    """The tables of a FROM."""
    yield source
    if source["type"] == "JOIN":
        yield from _joined(source["left"])
        yield from _joined(source["right"])


def _words(root: Node) -> None:
    """Refuse withheld columns, internal functions, and other columns named person_id."""
    rows = {str(node.get("alias") or node.get("table_name") or "").lower()
            for node in all_nodes(root) if node.get("type") in {"BASE_TABLE", "SUBQUERY"}}  # fmt: skip
    for node in all_nodes(root):
        name = column_of(node)
        reason = withheld_reason(name) if name else None
        if reason:
            raise refused(f"the column {name} is not released", f"remove it: {reason}")
        if name and name in rows and len(node["column_names"]) == 1:
            raise refused(f"a row of {name} as one value is not supported", "name its columns")
        function = function_of(node)
        if function and function.startswith("xinglin"):
            raise refused("functions for pseudonyms cannot be called", "use the columns")
        alias = str(node.get("alias") or "").lower()
        if node.get("class") and alias.startswith(COUNT):
            raise refused("the name of a column is reserved", f"do not use the prefix {COUNT}")
        if node.get("class") and alias == "person_id" and name != "person_id":
            raise refused("only the person's pseudonym may be named person_id", "use another name")
        if node.get("class") == "STAR" and (node.get("rename_list") or node.get("replace_list")):
            raise refused("a star with RENAME or REPLACE is not supported", "name the columns")


def _columns(root: Node) -> frozenset[str] | None:
    """Names of all used columns; None if a star or a natural join can use any."""
    names: set[str] = set()
    for node in all_nodes(root):
        if node.get("class") == "STAR" or node.get("ref_type") == "NATURAL":
            return None
        if node.get("class") == "COLUMN_REF":
            names |= {str(one).lower() for one in node["column_names"]}
        names |= {str(one).lower() for one in node.get("using_columns") or ()}
    return frozenset(names)


def _names(root: Node, wanted: frozenset[str], *, plain: bool) -> frozenset[str]:
    """Names under which columns can appear; with `plain` only if they are not computed."""
    names = set(wanted)
    items = [item for node in _selects(root) for item in node["select_list"] if item.get("alias")]
    while True:
        before = len(names)
        for item in items:
            nodes = [item] if plain else list(outer_nodes(item))
            if any(column_of(one) in names for one in nodes):
                names.add(item["alias"].lower())
        if len(names) == before:
            return frozenset(names)


def _selects(root: Node) -> Iterator[Node]:
    return (node for node in all_nodes(root) if node.get("type") == "SELECT_NODE")


def _aggregated(node: Node, aggregates: set[str]) -> bool:
    """Whether a SELECT aggregates rows."""
    if node["group_expressions"] or node["aggregate_handling"] == "FORCE_AGGREGATES" or is_distinct(node):
        return True
    return any(is_aggregate(one, aggregates) for part in ("select_list", "having") for one in outer_nodes(node[part]))


def _keeps_person(node: Node) -> bool:
    """Whether each row of an aggregating SELECT belongs to one person."""
    if len(node["group_sets"]) > 1:
        return False
    keys = node["group_expressions"]
    if not keys and (is_distinct(node) or node["aggregate_handling"] == "FORCE_AGGREGATES"):
        keys = node["select_list"]
        if is_distinct(node) and any(one.get("class") == "STAR" for one in keys):
            return True
    for key in keys:
        if key.get("class") == "CONSTANT" and str(key["literal"].get("text", "")).isdigit():
            place = int(key["literal"]["text"]) - 1
            key = node["select_list"][place] if 0 <= place < len(node["select_list"]) else key
        if column_of(key) == "person_id":
            return True
    return False
