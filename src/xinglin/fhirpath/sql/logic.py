"""Three-valued logic, and arithmetic."""

from __future__ import annotations

from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.compare import EMPTY_TRUTH, equal, equivalent, ordered
from xinglin.fhirpath.sql.navigate import is_there
from xinglin.fhirpath.sql.scope import Scope
from xinglin.fhirpath.sql.value import EMPTY, Value, boolean

__all__ = ["combine", "negative", "truth"]

_ORDER = {"<", "<=", ">", ">="}


def truth(value: Value, scope: Scope) -> str:
    """SQL of a collection as a truth value: a single item that is not a boolean counts as true."""
    if value.empty:
        return "NULL::BOOLEAN"
    if value.type == "boolean":
        return scope.one(value).sql
    if value.choice is not None:
        return f"CASE WHEN {is_there(value, scope)} THEN true END"
    return f"CASE WHEN {scope.one(value).sql} IS NOT NULL THEN true END"


def combine(operator: str, left: Value, right: Value, scope: Scope) -> Value:
    """Compile a binary operator, except for ``|``, ``is`` and ``as``."""
    if operator in ("and", "or", "xor", "implies"):
        return _logic(operator, truth(left, scope), truth(right, scope))
    if operator in ("=", "!="):
        same = equal(left, right, scope)
        return same if operator == "=" else boolean(f"NOT {same.sql}")
    if operator in ("~", "!~"):
        same = equivalent(left, right, scope)
        return same if operator == "~" else boolean(f"NOT {same.sql}")
    if operator in _ORDER:
        return ordered(operator, left, right, scope)
    if operator in ("in", "contains"):
        return _membership(*((left, right) if operator == "in" else (right, left)), scope)
    if operator == "&":
        texts = (f"coalesce({_text(scope.one(side), operator)}, '')" for side in (left, right))
        return Value(f"({' || '.join(texts)})", "string")
    return _arithmetic(operator, left, right, scope)


def negative(value: Value, scope: Scope) -> Value:
    """``-x``.

    Raises:
        WrongType: It is not a number.
    """
    if value.empty:
        return EMPTY
    _number(value, "-")
    return Value(f"(-{scope.one(value).number()})", value.kind, constant=value.constant)


def _logic(operator: str, left: str, right: str) -> Value:
    if operator == "xor":
        return boolean(f"({left}) <> ({right})")
    if operator == "implies":
        return boolean(f"NOT ({left}) OR ({right})")
    return boolean(f"({left}) {operator.upper()} ({right})")


def _membership(item: Value, items: Value, scope: Scope) -> Value:
    if item.empty:
        return EMPTY_TRUTH
    if items.empty:
        return boolean(f"CASE WHEN {item.is_there()} THEN false END")
    one, name = scope.one(item), scope.notes.fresh()
    each = Value(name, items.type, shape=items.shape)
    found = equal(each, one, scope).sql
    hits = f"coalesce(len(list_filter({items.listed().sql}, lambda {name}: {found})), 0) > 0"
    return boolean(f"CASE WHEN {one.sql} IS NOT NULL THEN {hits} END")


def _arithmetic(operator: str, left: Value, right: Value, scope: Scope) -> Value:
    if left.empty or right.empty:
        return EMPTY
    if operator == "+" and left.kind == right.kind == "string":
        return Value(f"({scope.one(left).sql} || {scope.one(right).sql})", "string")
    _number(left, operator)
    _number(right, operator)
    a, b = scope.one(left).number(), scope.one(right).number()
    whole = left.kind == right.kind == "integer"
    if operator == "/":
        return Value(_decimal(f"{a} / nullif({b}, 0)"), "decimal")
    if operator == "div":
        return Value(f"CAST(trunc({a} / nullif({b}, 0)) AS BIGINT)", "integer")
    if operator == "mod":
        operator, b = "%", f"nullif({b}, 0)"
    return Value(f"({a} {operator} {b})", "integer") if whole else Value(_decimal(f"{a} {operator} {b}"), "decimal")


def _decimal(sql: str) -> str:
    """Round to fifteen digits, the precision of DOUBLE, so that 0.1 + 0.2 = 0.3."""
    return f"TRY_CAST(format('{{:.15g}}', CAST({sql} AS DOUBLE)) AS DOUBLE)"


def _number(value: Value, operator: str) -> None:
    if value.kind not in ("integer", "decimal"):
        raise WrongType(
            f"'{operator}' needs numbers, found {value.type if value.choice is None else value.choice.name}"
        )


def _text(value: Value, operator: str) -> str:
    if value.empty:
        return "NULL"
    if value.kind != "string":
        raise WrongType(f"'{operator}' needs strings, found {value.type}; use toString()")
    return value.sql
