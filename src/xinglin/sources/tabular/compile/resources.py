"""Rows to resources: a table of the mapping, compiled against the header of one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from xinglin.sources.fhir import check
from xinglin.sources.fhir.resource_types import RESOURCE_TYPES
from xinglin.sources.limits import Limits
from xinglin.sources.placeholders import is_placeholder
from xinglin.sources.record import Rejected, Resource
from xinglin.sources.tabular.compile.conditions import Holds, condition
from xinglin.sources.tabular.compile.elements import branch
from xinglin.sources.tabular.compile.identity import identity
from xinglin.sources.tabular.compile.scope import PSEUDO, Row, Run, Scope
from xinglin.sources.tabular.mapping.file import Mapping, Table, is_yes
from xinglin.sources.tabular.mapping.places import Path

__all__ = ["Recipe", "compile_table", "made_of", "used_columns"]


class Recipe(NamedTuple):
    """One compiled resource of a table."""

    resource_type: str
    when: Holds | None
    find_id: Run
    build: Run | None
    constants: dict[str, Any]
    mention: bool


def used_columns(mapping: Mapping, table: Table) -> list[str]:
    """The columns that a table of the mapping reads, in the order of their mention.

    Raises:
        BadInput: Something in the tree of elements cannot be compiled.
    """
    scope = Scope(mapping, table, None)
    for number, entry in enumerate(table.resources):
        for one in _each(scope, entry, ("tables", table.name, "resources", number)):
            _recipe(scope, one, ("tables", table.name, "resources", number))
    return [name for name in scope.used if name not in PSEUDO]


def compile_table(mapping: Mapping, table: Table, header: tuple[str, ...], typed: bool) -> list[Recipe]:
    """The recipes of a table for files of one header.

    Raises:
        Rejected: A column is missing or stands twice; its name is the mapping's.
    """
    needed = used_columns(mapping, table)
    missing = [name for name in needed if name not in header and not table.column(name).optional]
    if missing:
        raise Rejected("missing-column", f"expected the column {', '.join(missing[:10])} in the header")
    twice = [name for name in needed if header.count(name) > 1]
    if twice:
        raise Rejected("ambiguous-column", f"expected the column {', '.join(twice[:10])} once in the header")
    scope = Scope(mapping, table, header, typed)
    return [
        _recipe(scope, one, ("tables", table.name, "resources", number))
        for number, entry in enumerate(table.resources)
        for one in _each(scope, entry, ("tables", table.name, "resources", number))
    ]


def _each(scope: Scope, entry: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """The resource as it is, or once for each of ``for_each`` with its values put in."""
    if "for_each" not in entry:
        yield entry
        return
    rest = {word: said for word, said in entry.items() if word != "for_each"}
    for number, values in enumerate(entry["for_each"]):
        try:
            yield _put_in(rest, values)
        except KeyError as error:
            what = f"for_each has no value {error.args[0]} here"
            raise scope.fault((*path, "for_each", number), what, "add it, or make it the same everywhere") from None


def _put_in(tree: Any, values: dict[str, Any]) -> Any:
    if isinstance(tree, str):
        if tree.startswith("{@") and tree.endswith("}") and tree.count("{") == 1:
            return values[tree[2:-1]]
        while (start := tree.find("{@")) >= 0 and (end := tree.find("}", start)) > 0:
            tree = tree[:start] + str(values[tree[start + 2 : end]]) + tree[end + 1 :]
        return tree
    if isinstance(tree, list):
        return [_put_in(item, values) for item in tree]
    if isinstance(tree, dict):
        return {_put_in(key, values): _put_in(item, values) for key, item in tree.items()}
    return tree


def _recipe(scope: Scope, entry: dict[str, Any], path: Path) -> Recipe:
    resource_type = entry["type"]
    if resource_type not in RESOURCE_TYPES:
        raise scope.fault(
            (*path, "type"), f"{resource_type} is no resource type of FHIR R4", "name one, such as Observation"
        )
    when = condition(scope, entry["when"], (*path, "when")) if "when" in entry else None
    find_id = identity(scope, resource_type, entry["id"], (*path, "id"))
    made = branch(scope, entry["elements"], (*path, "elements"))
    return Recipe(resource_type, when, find_id, made.run, made.constant or {}, is_yes(entry.get("mention")))


def made_of(recipes: list[Recipe], row: Row, limits: Limits) -> Iterator[tuple[Resource | Rejected, bool]]:
    """What a row becomes: each resource or why there is none, and whether it is only a mention.

    Args:
        recipes: The table's.
        row: Its fields, and behind them what `PSEUDO` names.
        limits: What is too large.
    """
    for recipe in recipes:
        if recipe.when is not None and not recipe.when(row):
            continue
        try:
            yield _made(recipe, row, limits), recipe.mention
        except Rejected as rejected:
            yield rejected, recipe.mention


def _made(recipe: Recipe, row: Row, limits: Limits) -> Resource:
    found = recipe.find_id(row)
    if found is None:
        raise Rejected("missing-id", f"expected a value in the columns of the id of {recipe.resource_type}")
    if recipe.resource_type == "Patient" and found != "0" and is_placeholder(found):  # rows may be numbered from 0
        raise Rejected("placeholder-id", "expected a number in the columns of the id of Patient, found a placeholder")
    tree = recipe.constants if recipe.build is None else recipe.build(row)
    text = orjson.dumps({"resourceType": recipe.resource_type, "id": found, **(tree or {})})
    return check(text, limits)
