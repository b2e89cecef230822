"""Compile a FHIRPath tree to SQL, one function for each kind of node."""

from __future__ import annotations

from dataclasses import replace

from xinglin.core.sql import quote
from xinglin.fhirpath import (
    Binary,
    Empty,
    Expression,
    Index,
    Literal,
    Member,
    This,
    TypeTest,
    Unary,
    Variable,
    parse,
)
from xinglin.fhirpath import Call as Written
from xinglin.fhirpath.elements import is_resource
from xinglin.fhirpath.errors import PathSyntax, UnknownName, ViewError, WrongType
from xinglin.fhirpath.sql.boundaries import BOUNDARIES
from xinglin.fhirpath.sql.call import Call, Function
from xinglin.fhirpath.sql.collections import COLLECTIONS, united
from xinglin.fhirpath.sql.compare import EMPTY_TRUTH
from xinglin.fhirpath.sql.keys import KEYS
from xinglin.fhirpath.sql.logic import combine, negative
from xinglin.fhirpath.sql.navigate import is_there, member, of_type
from xinglin.fhirpath.sql.numbers import NUMBERS
from xinglin.fhirpath.sql.scope import Scope
from xinglin.fhirpath.sql.strings import STRINGS
from xinglin.fhirpath.sql.value import EMPTY, Value, boolean

__all__ = ["FUNCTIONS", "evaluate", "literal"]

FUNCTIONS: dict[str, Function] = {**COLLECTIONS, **STRINGS, **NUMBERS, **BOUNDARIES, **KEYS}
"""All functions that views can call."""
_LONGEST = 200_000


def evaluate(expression: str, scope: Scope) -> Value:
    """Compile an expression to a collection.

    Args:
        expression: FHIRPath.
        scope: Scope of the expression.

    Raises:
        ViewError: It is not valid FHIRPath, or names or does what is not possible; `source` has the place.
    """
    try:
        return _evaluate(parse(expression), scope)
    except RecursionError:
        raise PathSyntax("the expression is too long", source=scope.place) from None
    except ViewError as error:
        if error.source:
            raise
        raise type(error)(error.what, source=f"{scope.place}: {expression}", remedy=error.remedy) from None


def _evaluate(node: Expression, scope: Scope) -> Value:
    value = _value(node, scope)
    if len(value.sql) > _LONGEST:
        raise WrongType("the expression compiles to a query that is too large", remedy="split it into several columns")
    return value


def _value(node: Expression, scope: Scope) -> Value:
    match node:
        case Literal():
            return literal(node.value, node.kind)
        case Empty():
            return EMPTY
        case This(name):
            return _this(name, scope)
        case Variable(name):
            return _variable(name, scope)
        case Member(base, name):
            return _member(base, name, scope)
        case Index(base, position):
            return _index(_evaluate(base, scope), _evaluate(position, scope), scope)
        case Unary(operator, operand):
            value = _evaluate(operand, scope)
            return negative(value, scope) if operator == "-" else value
        case TypeTest(operator, operand, type_name):
            return _type_test(operator, _evaluate(operand, scope), type_name, scope)
        case Binary("|", left, right):
            return united(_evaluate(left, scope), _evaluate(right, scope), scope)
        case Binary(operator, left, right):
            return combine(operator, _evaluate(left, scope), _evaluate(right, scope), scope)
        case Written():
            return _call(node, scope)


def literal(value: str, kind: str) -> Value:
    """A constant.

    Example:
        >>> literal("1.50", "decimal").sql, literal("it", "string").sql
        ('1.50::DOUBLE', "'it'")
    """
    if kind == "boolean":
        return Value(value, kind, constant=True)
    if kind == "integer":
        return Value(f"{value}::BIGINT", kind, constant=True)
    if kind == "decimal":
        return Value(f"{value}::DOUBLE", kind, constant=True)
    return Value(quote(value), kind, constant=True)


def _this(name: str, scope: Scope) -> Value:
    if name == "$this":
        return scope.this
    if name == "$index" and scope.index is not None:
        return Value(f"({scope.index} - 1)", "integer")
    raise UnknownName(f"'{name}' is not defined here")


def _variable(name: str, scope: Scope) -> Value:
    if name in scope.constants:
        return scope.constants[name]()
    if name in ("resource", "rootResource", "context"):
        return scope.resource
    if name == "rowIndex":
        return Value(scope.row_index, "integer")
    known = {"sct": "http://snomed.info/sct", "loinc": "http://loinc.org", "ucum": "http://unitsofmeasure.org"}
    if name in known:
        return literal(known[name], "string")
    raise UnknownName(f"the view has no constant '{name}'", remedy="add it to the view's constants")


def _member(base: Expression | None, name: str, scope: Scope) -> Value:
    if base is None:
        if is_resource(name) and name in (scope.this.type, "Resource"):
            return scope.this
        if is_resource(name):
            raise WrongType(f"the path begins at {name}, but is evaluated on {scope.this.type}")
        return member(scope.this, name, scope)
    return member(_evaluate(base, scope), name, scope)


def _index(value: Value, position: Value, scope: Scope) -> Value:
    if value.empty or position.empty:
        return EMPTY
    if position.kind != "integer" or value.choice is not None:
        raise WrongType("an index must be an integer, on a collection of one type")
    at = scope.one(position).sql
    if value.many:
        return replace(value, sql=f"({value.sql})[CASE WHEN {at} >= 0 THEN {at} + 1 END]", many=False, origin=None)
    return replace(value, sql=f"CASE WHEN {at} = 0 THEN {value.sql} END", origin=None)


def _type_test(operator: str, value: Value, type_name: str, scope: Scope) -> Value:
    found = of_type(value, type_name, scope)
    if operator == "as":
        return found
    if value.empty:
        return EMPTY_TRUTH
    return boolean(f"CASE WHEN {is_there(value, scope)} THEN {is_there(found, scope)} END")


def _call(node: Written, scope: Scope) -> Value:
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise UnknownName(f"views have no function '{node.name}()'")
    if not function.fewest <= len(node.arguments) <= function.most:
        raise UnknownName(f"'{node.name}()' takes {function.fewest} to {function.most} arguments")
    base = scope.this if node.base is None else _evaluate(node.base, scope)
    return function.compile(Call(node.name, base, node.arguments, scope, _evaluate))
