"""The tree of elements, compiled to functions once per file header.

A branch whose columns are all empty is left out with its constants: a system without its value says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from xinglin.sources.record import Rejected
from xinglin.sources.tabular.compile.conditions import condition
from xinglin.sources.tabular.compile.leaves import LEAVES, number_options
from xinglin.sources.tabular.compile.scope import Made, Row, Run, Scope
from xinglin.sources.tabular.mapping.file import is_yes
from xinglin.sources.tabular.mapping.places import Path
from xinglin.sources.tabular.numbers import measured

__all__ = ["branch", "node"]

Leaf = dict[str, Any]
_UCUM = "http://unitsofmeasure.org"


def node(scope: Scope, tree: Any, path: Path) -> Made:
    """Any place in the tree: a text with columns in braces, a list, a branch, or a leaf with a ``$`` word."""
    if isinstance(tree, str):
        if tree in ("true", "false"):
            return Made(None, tree == "true")
        return scope.template(tree, path)
    if isinstance(tree, list):
        return _listed(scope, tree, path)
    word = next((key for key in tree if key.startswith("$")), None)
    if word is None:
        return branch(scope, tree, path)
    if word == "$reference" and "display" in tree:
        return _shown_reference(scope, tree, path)
    return (LEAVES.get(word) or _COMPOSED[word])(scope, tree, path)


def branch(scope: Scope, tree: dict[str, Any], path: Path) -> Made:
    """An object of elements."""
    constants: dict[str, Any] = {}
    parts: list[tuple[str, Run]] = []
    for name, child in tree.items():
        made = node(scope, child, (*path, name))
        if made.run is None:
            constants[name] = made.constant
        else:
            parts.append((name, made.run))
    if not parts:
        return Made(None, constants)

    def run(row: Row) -> dict[str, Any] | None:
        found = {name: value for name, part in parts if (value := part(row)) is not None}
        return {**constants, **found} if found else None

    return Made(run)


def _listed(scope: Scope, tree: list[Any], path: Path) -> Made:
    items = [node(scope, child, (*path, number)) for number, child in enumerate(tree)]
    if all(item.run is None for item in items):
        return Made(None, [item.constant for item in items])
    if len(items) == 1 and (only := items[0].run) is not None:

        def one(row: Row) -> list[Any] | None:
            value = only(row)
            return None if value is None else value if type(value) is list else [value]

        return Made(one)

    def run(row: Row) -> list[Any] | None:
        found: list[Any] = []
        for item in items:
            value = item.constant if item.run is None else item.run(row)
            if type(value) is list:
                found.extend(value)
            elif value is not None:
                found.append(value)
        return found or None

    return Made(run)


def _code(scope: Scope, leaf: Leaf, path: Path) -> Made:
    name = leaf["$code"]
    column = scope.column(name, path)
    entries = _entries(scope, leaf["map"], (*path, "map"))
    unknown = leaf.get("unknown", "reject")

    def run(row: Row) -> Any:
        text = column(row)
        if text is None:
            return None
        found = entries.get(text)
        if found is None:
            if unknown == "reject":
                raise Rejected("unknown-code", f"expected one of the {len(entries)} codes known for column {name}")
            return text if unknown == "keep" else None
        return found

    return Made(scope.required(leaf, name, run))


def _entries(scope: Scope, said: Any, path: Path) -> dict[str, Any]:
    if isinstance(said, str):
        if said not in scope.mapping.maps:
            raise scope.fault(path, f"there is no map {said}", "add it under maps, or write its entries here")
        said, path = scope.mapping.maps[said], ("maps", said)
    if "$file" in said:
        raise scope.fault(path, "its CSV file was not brought in", "name the mapping by its file, beside the CSV file")
    found = {}
    for key, value in said.items():
        made = node(scope, value, (*path, key)) if not isinstance(value, str) else Made(None, value)
        if made.run is not None:
            raise scope.fault((*path, key), "a map's entry is the same for every row", "take the columns out of it")
        found[key] = made.constant
    return found


def _quantity(scope: Scope, leaf: Leaf, path: Path) -> Made:
    name = leaf["$quantity"]
    column = scope.column(name, path)
    thousands, decimal = number_options(scope, leaf, name)
    compared = "comparator" not in leaf or is_yes(leaf["comparator"])
    unit = node(scope, leaf["unit"], (*path, "unit")) if "unit" in leaf else Made(None)
    code = node(scope, leaf["code"], (*path, "code")) if "code" in leaf else Made(None)
    system = leaf.get("system", _UCUM)

    def run(row: Row) -> dict[str, Any] | None:
        text = column(row)
        if text is None:
            return None
        found = measured(text, thousands, decimal)
        if found is None or (found.comparator and not compared):
            raise Rejected("not-a-number", f"expected a number in column {name}")
        made: dict[str, Any] = {"value": orjson.Fragment(found.number)}
        if found.comparator:
            made["comparator"] = found.comparator
        if (said := unit.constant if unit.run is None else unit.run(row)) is not None:
            made["unit"] = said
        if (said := code.constant if code.run is None else code.run(row)) is not None:
            made["system"] = system
            made["code"] = said
        return made

    return Made(scope.required(leaf, name, run))


def _join(scope: Scope, leaf: Leaf, path: Path) -> Made:
    parts = [node(scope, child, (*path, "$join", number)) for number, child in enumerate(leaf["$join"])]
    between = leaf.get("with", " ")

    def run(row: Row) -> str | None:
        values = [part.constant if part.run is None else part.run(row) for part in parts]
        return between.join(str(value) for value in values if value is not None) or None

    return Made(run)


def _split(scope: Scope, leaf: Leaf, path: Path) -> Made:
    column = scope.column(leaf["$split"], path)
    on = leaf["on"]
    each = node(scope, leaf.get("each", "{$item}"), (*path, "each"))

    def run(row: Row) -> list[Any] | None:
        text = column(row)
        if text is None:
            return None
        found = []
        for item in text.split(on):
            value = each.constant if each.run is None else each.run([*row[:-1], item])
            if value is not None and item.strip():
                found.append(value)
        return found or None

    return Made(run)


def _first(scope: Scope, leaf: Leaf, path: Path) -> Made:
    choices = [node(scope, child, (*path, "$first", number)) for number, child in enumerate(leaf["$first"])]

    def run(row: Row) -> Any:
        for choice in choices:
            value = choice.constant if choice.run is None else choice.run(row)
            if value is not None:
                return value
        return None

    return Made(run)


def _choice(scope: Scope, leaf: Leaf, path: Path) -> Made:
    holds = condition(scope, leaf["$if"], (*path, "$if"))
    then = node(scope, leaf["then"], (*path, "then"))
    other = node(scope, leaf["else"], (*path, "else")) if "else" in leaf else Made(None)

    def run(row: Row) -> Any:
        chosen = then if holds(row) else other
        return chosen.constant if chosen.run is None else chosen.run(row)

    return Made(run)


def _shown_reference(scope: Scope, leaf: Leaf, path: Path) -> Made:
    reference = LEAVES["$reference"](scope, leaf, path).run
    shown = node(scope, leaf["display"], (*path, "display"))

    def run(row: Row) -> dict[str, Any] | None:
        found = None if reference is None else reference(row)
        said = shown.constant if shown.run is None else shown.run(row)
        return found if found is None or said is None else {**found, "display": said}

    return Made(run)


_COMPOSED: dict[str, Callable[[Scope, Leaf, Path], Made]] = {
    "$code": _code,
    "$quantity": _quantity,
    "$join": _join,
    "$split": _split,
    "$first": _first,
    "$if": _choice,
}
