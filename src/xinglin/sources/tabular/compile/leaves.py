"""Leaves of the tree of elements that read columns by themselves: texts, dates, numbers, yes and no, references."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson

from xinglin.sources.fhir.resource_types import RESOURCE_TYPES
from xinglin.sources.record import Rejected
from xinglin.sources.tabular import dates
from xinglin.sources.tabular.compile.identity import identity
from xinglin.sources.tabular.compile.scope import Made, Row, Scope
from xinglin.sources.tabular.mapping.file import checked_formats, zone_at
from xinglin.sources.tabular.mapping.places import Path
from xinglin.sources.tabular.numbers import decimal_text

__all__ = ["LEAVES", "number_options"]

Leaf = dict[str, Any]


def _column(scope: Scope, leaf: Leaf, path: Path) -> Made:
    name = leaf["$column"]
    return Made(scope.required(leaf, name, scope.column(name, path)))


def _base64(scope: Scope, leaf: Leaf, path: Path) -> Made:
    """A text as FHIR's base64Binary, such as the data of an attachment: its UTF-8 in base64."""
    name = leaf["$base64"]
    column = scope.column(name, path)

    def run(row: Row) -> str | None:
        text = column(row)
        return None if text is None else b64encode(text.encode()).decode()

    return Made(scope.required(leaf, name, run))


def _constant(scope: Scope, leaf: Leaf, path: Path) -> Made:
    said = leaf["$constant"]
    number = decimal_text(said)
    return Made(None, said if number is None else orjson.Fragment(number))


def _date(scope: Scope, leaf: Leaf, path: Path) -> Made:
    said = leaf["$date"]
    names = [said] if isinstance(said, str) else said
    columns = [scope.column(name, path) for name in names]
    zone = zone_at(scope.mapping.source, path, leaf["time_zone"]) if "time_zone" in leaf else scope.table.zone
    forms = scope.table.date_formats
    if "format" in leaf:
        forms = checked_formats(scope.mapping.source, (*path, "format"), leaf["format"], zone)
    read = dates.reader((*forms, *dates.ISO) if scope.typed else forms, zone)
    wanted = leaf.get("as", "")
    expected = f"expected {_described(forms, zone is None)} in column {' and '.join(names)}"
    first = columns[0]

    def run(row: Row) -> str | None:
        text = first(row) if len(columns) == 1 else " ".join(filter(None, [column(row) for column in columns]))
        if not text:
            return None
        found = read(text)
        if found is None or (wanted == "instant" and found.moment is None):
            raise Rejected("invalid-date", expected)
        return found.day if wanted == "date" or found.moment is None else found.moment

    return Made(scope.required(leaf, " and ".join(names), run))


def _described(forms: tuple[str, ...], zoneless: bool) -> str:
    if forms == dates.ISO:
        return "a date of ISO 8601, with its offset where it has a time" if zoneless else "a date of ISO 8601"
    return f"a date like {' or '.join(forms[:4])}"


def number_options(scope: Scope, leaf: Leaf, name: str) -> tuple[str, str]:
    """What separates thousands and the fraction in a column."""
    column = scope.table.column(name)
    return leaf.get("thousands", column.thousands), leaf.get("decimal", column.decimal)


def _number(scope: Scope, leaf: Leaf, path: Path) -> Made:
    name = leaf["$number"]
    column = scope.column(name, path)
    thousands, decimal = number_options(scope, leaf, name)

    def run(row: Row) -> orjson.Fragment | None:
        text = column(row)
        if text is None:
            return None
        number = decimal_text(text, thousands, decimal)
        if number is None:
            raise Rejected("not-a-number", f"expected a number in column {name}")
        return orjson.Fragment(number)

    return Made(scope.required(leaf, name, run))


def _integer(scope: Scope, leaf: Leaf, path: Path) -> Made:
    name = leaf["$integer"]
    column = scope.column(name, path)
    thousands, decimal = number_options(scope, leaf, name)

    def run(row: Row) -> int | None:
        text = column(row)
        if text is None:
            return None
        whole, _, rest = (decimal_text(text, thousands, decimal) or "x").partition(".")
        if rest.strip("0") or not whole.lstrip("-").isdecimal() or len(whole) > 18:
            raise Rejected("not-a-number", f"expected a whole number in column {name}")
        return int(whole)

    return Made(scope.required(leaf, name, run))


def _boolean(scope: Scope, leaf: Leaf, path: Path) -> Made:
    name = leaf["$boolean"]
    column = scope.column(name, path)
    known = dict.fromkeys(leaf["false"], False) | dict.fromkeys(leaf["true"], True)

    def run(row: Row) -> bool | None:
        text = column(row)
        if text is None:
            return None
        if text not in known:
            raise Rejected("unknown-code", f"expected one of the {len(known)} words for yes and no in column {name}")
        return known[text]

    return Made(scope.required(leaf, name, run))


def _reference(scope: Scope, leaf: Leaf, path: Path) -> Made:
    resource_type, said = leaf["$reference"], leaf["id"]
    if resource_type not in RESOURCE_TYPES:
        raise scope.fault(path, f"{resource_type} is no resource type of FHIR R4", "name one, such as Patient")
    find = identity(scope, resource_type, said, (*path, "id"))
    prefix = f"{resource_type}/"

    def run(row: Row) -> dict[str, str] | None:
        found = find(row)
        return None if found is None else {"reference": prefix + found}

    return Made(scope.required(leaf, said if isinstance(said, str) else " and ".join(said), run))


LEAVES: dict[str, Callable[[Scope, Leaf, Path], Made]] = {
    "$column": _column,
    "$base64": _base64,
    "$constant": _constant,
    "$date": _date,
    "$number": _number,
    "$integer": _integer,
    "$boolean": _boolean,
    "$reference": _reference,
}
