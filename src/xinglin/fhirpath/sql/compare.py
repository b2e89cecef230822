"""Equality and order of FHIRPath collections, as SQL."""

from __future__ import annotations

import re

from xinglin.fhirpath.elements import is_primitive
from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.scope import Scope
from xinglin.fhirpath.sql.value import Value, boolean

__all__ = ["EMPTY_TRUTH", "comparable", "equal", "equivalent", "ordered"]

EMPTY_TRUTH = boolean("NULL::BOOLEAN")
_NUMBERS = {"integer", "decimal"}
_MOMENTS = {"date", "dateTime"}


def comparable(left: Value, right: Value) -> str | None:
    """The common kind of two collections; None if their items can never be equal.

    Raises:
        WrongType: One is a structure; only primitive values can be compared.
    """
    for value in (left, right):
        if value.choice is not None or not is_primitive(value.type):
            what = value.choice.name if value.choice else value.type
            raise WrongType(f"'{what}' cannot be compared; compare a part of it, or choose a type with ofType(...)")
    kinds = {left.kind, right.kind}
    if kinds <= _NUMBERS:
        return "decimal" if "decimal" in kinds else "integer"
    if kinds <= _MOMENTS | {"string"} and kinds & _MOMENTS:
        # A date written as a string in the view is a date.
        moments = kinds - {"string"}
        return "dateTime" if "dateTime" in moments else "date"
    if kinds == {"time", "string"}:
        return "time"
    return kinds.pop() if len(kinds) == 1 else None


def equal(left: Value, right: Value, scope: Scope) -> Value:
    """``=``: empty if a side is empty; item by item for collections."""
    if left.empty or right.empty:
        return EMPTY_TRUTH
    kind = comparable(left, right)
    if kind is None:
        return boolean(f"CASE WHEN {left.is_there()} AND {right.is_there()} THEN false END")
    if left.many or right.many:
        first, second = _items(left, kind, scope), _items(right, kind, scope)
        return boolean(f"CASE WHEN len({first}) > 0 AND len({second}) > 0 THEN {first} = {second} END")
    return boolean(_compared("=", left, right, kind))


def equivalent(left: Value, right: Value, scope: Scope) -> Value:
    """``~``: never empty; strings ignore case and whitespace, times must have the same precision."""
    if left.empty or right.empty:
        other = right if left.empty else left
        return boolean("true" if other.empty else f"NOT ({other.is_there()})")
    kind = comparable(left, right)
    first, second = scope.one(left), scope.one(right)
    if kind is None:
        return boolean(f"{first.sql} IS NULL AND {second.sql} IS NULL")
    if kind == "string":
        texts = [rf"regexp_replace(lower(trim({one.sql})), '\s+', ' ', 'g')" for one in (first, second)]
        same = " = ".join(texts)
    else:
        same = _compared("=", first, second, kind)
    return boolean(f"CASE WHEN {first.sql} IS NULL OR {second.sql} IS NULL "
                   f"THEN {first.sql} IS NULL AND {second.sql} IS NULL ELSE coalesce({same}, false) END")  # fmt: skip


def ordered(operator: str, left: Value, right: Value, scope: Scope) -> Value:
    """``<``, ``<=``, ``>``, ``>=`` of single items; empty if the precision of a time leaves it open.

    Raises:
        WrongType: The sides cannot be ordered.
    """
    if left.empty or right.empty:
        return EMPTY_TRUTH
    kind = comparable(left, right)
    if kind is None or kind == "boolean":
        raise WrongType(f"{left.type} and {right.type} cannot be ordered")
    return boolean(_compared(operator, scope.one(left), scope.one(right), kind))


def _items(value: Value, kind: str, scope: Scope) -> str:
    listed = value.listed().sql
    if kind == "decimal":
        name = scope.notes.fresh()
        return f"list_transform({listed}, lambda {name}: TRY_CAST({name} AS DOUBLE))"
    return listed


def _compared(operator: str, left: Value, right: Value, kind: str) -> str:
    a, b = left.sql, right.sql
    if kind in ("integer", "decimal"):
        return f"{left.number()} {operator} {right.number()}"
    if kind == "time":
        whole = f"length({a}) >= 8 AND length({b}) >= 8"
        as_times = f"TRY_CAST({a} AS TIME) {operator} TRY_CAST({b} AS TIME)"
        return f"CASE WHEN {whole} THEN {as_times} ELSE {_by_precision(operator, a, b)} END"
    if kind == "date":
        return _by_precision(operator, a, b)
    if kind == "dateTime":
        return (
            f"CASE WHEN length({a}) > 10 AND length({b}) > 10 THEN {_instants(operator, left, right)} "
            f"ELSE {_by_precision(operator, a, b)} END"
        )
    return f"{a} {operator} {b}"


def _instants(operator: str, left: Value, right: Value) -> str:
    """Two points in time; undecided if only one has a zone, or if they are equal up to the lower precision."""
    first, second = _instant(left), _instant(right)
    alike = f"({_zoned(left.sql)}) = ({_zoned(right.sql)})"
    unit, other = _unit(left), _unit(right)
    if unit != other:
        coarse = "hour" if "hour" in (unit, other) else "minute"
        differ = f"date_trunc('{coarse}', {first}) <> date_trunc('{coarse}', {second})"
        return f"CASE WHEN {alike} AND {differ} THEN {first} {operator} {second} END"
    return f"CASE WHEN {alike} THEN {first} {operator} {second} END"


def _unit(value: Value) -> str:
    """Precision of a time: only a literal in the view can end at the minute or hour."""
    written = re.fullmatch(r"'[\d-]+T(\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?'", value.sql)
    return "second" if written is None else ("minute" if written[2] else "hour")


def _by_precision(operator: str, a: str, b: str) -> str:
    """Compare up to the lower precision; if equal there and the precisions differ, undecided."""
    shorter = f"least(length({a}), length({b}), 10)"
    first, second = f"left({a}, {shorter})", f"left({b}, {shorter})"
    differ = "false" if operator == "=" else f"{first} {operator} {second}"
    same = "true" if operator in ("=", "<=", ">=") else "false"
    return f"CASE WHEN {first} <> {second} THEN {differ} WHEN length({a}) = length({b}) THEN {same} END"


def _zoned(text: str) -> str:
    return f"right({text}, 1) = 'Z' OR left(right({text}, 6), 1) IN ('+', '-')"


def _instant(value: Value) -> str:
    """A literal without a zone: the machine's zone must not matter."""
    text = value.sql
    if _unit(value) != "second":
        text = re.sub(r"T(\d\d)(:\d\d)?", lambda found: f"T{found[1]}{found[2] or ':00'}:00", text)
    return f"TRY_CAST(CASE WHEN {_zoned(text)} THEN {text} ELSE {text} || 'Z' END AS TIMESTAMPTZ)"
