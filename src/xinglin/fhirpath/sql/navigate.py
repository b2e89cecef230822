"""Navigation to parts of a structure: members, types, extensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xinglin.core.sql import quote
from xinglin.fhirpath.elements import element_of, has_type, is_primitive, is_resource, kind_of, parent_of
from xinglin.fhirpath.errors import UnknownName, WrongType
from xinglin.fhirpath.sql.scope import Scope
from xinglin.fhirpath.sql.shape import Shape
from xinglin.fhirpath.sql.value import EMPTY, Choice, Value

__all__ = ["chosen", "is_there", "mapped", "member", "of_type", "struct_of"]


def member(value: Value, name: str, scope: Scope) -> Value:
    """Compile ``value.name``; empty, with a warning, if FHIR R4 has no such element.

    Raises:
        UnknownName: The JSON name of a choice was used instead of ``ofType``.
    """
    if value.empty:
        return EMPTY
    if value.choice is not None:
        return _through_choice(value.choice, name, scope)
    if is_primitive(value.type):
        return _beside_primitive(value, name, scope)
    element = element_of(value.type, name)
    if element is None:
        _refuse_typed_name(value.type, name)
        scope.warn(f"{value.type} has no element '{name}' in FHIR R4; it is always empty")
        return EMPTY
    if element.choice:
        return Value(value.sql, "[x]", value.many, choice=Choice(value, name, element.types))
    return _step(value, name, element.types[0], element.many, scope)


def chosen(choice: Choice, type_name: str, scope: Scope) -> Value:
    """One type of a choice."""
    name = f"{choice.name}{type_name[0].upper()}{type_name[1:]}"
    return _step(choice.parent, name, type_name, False, scope)


def of_type(value: Value, type_name: str, scope: Scope) -> Value:
    """The items of a type.

    Raises:
        UnknownName: FHIR R4 has no such type.
    """
    name = _fhir_name(type_name)
    if value.empty:
        return EMPTY
    if value.choice is not None:
        if name not in value.choice.types:
            scope.warn(f"{value.choice.name}[x] is never of type {name}; it is always empty")
            return EMPTY
        return chosen(value.choice, name, scope)
    if value.type == "Resource" and is_resource(name):
        return _resources(value, name, scope)
    ancestor: str | None = value.type
    while ancestor is not None and ancestor != name:
        ancestor = parent_of(ancestor)
    return value if ancestor == name else EMPTY


def is_there(value: Value, scope: Scope) -> str:
    """SQL: whether the collection has an item."""
    if value.empty:
        return "false"
    if value.choice is None:
        return f"({value.is_there()})"
    there = (chosen(value.choice, name, scope).is_there() for name in value.choice.types)
    return f"({' OR '.join(there)})"


def mapped(value: Value, item: Callable[[Value, str], Value], scope: Scope) -> Value:
    """Apply `item` to each item, and collect the results.

    Args:
        value: The items.
        item: Maps an item and SQL of its index (from 1) to a collection.
        scope: Scope of the expression.
    """
    if not value.many:
        return item(value, "1")
    name, index = scope.notes.fresh(), scope.notes.fresh()
    result = item(replace(value, sql=name, many=False, origin=None), index)
    if result.empty:
        return EMPTY
    if result.choice is not None:
        raise WrongType(f"'{result.choice.name}' can have several types; choose one with ofType(...)")
    names = f"{name}, {index}" if index in result.sql else name
    listed = f"list_transform({value.sql}, lambda {names}: {result.sql})"
    if result.many:
        return replace(result, sql=f"flatten({listed})", origin=None)
    return replace(result, sql=_without_null(listed, scope), many=True, origin=None)


def struct_of(sql: str, shape: Shape) -> str:
    """SQL of an element as a struct, from a struct or from JSON text."""
    return f"from_json({sql}, {quote(shape.schema())})" if shape.whole else sql


def _step(value: Value, name: str, type_name: str, many: bool, scope: Scope) -> Value:
    if value.shape is None:
        raise WrongType(f"{value.type or 'this'} has no elements that can be read")
    part = value.shape.part(name, type_name, many)
    found = Value("", type_name, many or value.many, part, origin=(value, name))
    if not value.many:
        sql = _unmarked(f'{_owner(value.sql, value.shape)}."{name}"', part)
        return replace(found, sql=_without_null(sql, scope) if many and is_primitive(type_name) else sql)
    item = scope.notes.fresh()
    read = _unmarked(f'{_owner(item, value.shape)}."{name}"', part)
    sql = f"list_transform({value.sql}, lambda {item}: {read})"
    if many:
        sql = f"flatten({sql})"
    return replace(found, sql=sql if many and not is_primitive(type_name) else _without_null(sql, scope))


def _unmarked(sql: str, part: Shape) -> str:
    """A number that was made a string, without its marker."""
    if not part.exact or part.many:
        return sql
    text = f"ltrim({sql}, chr(1))"
    return text if kind_of(part.type) == "decimal" else f"TRY_CAST({text} AS BIGINT)"


def _owner(sql: str, shape: Shape) -> str:
    return f"({struct_of(sql, shape)})" if shape.whole or not sql.replace(".", "").replace('"', "").isalnum() else sql


def _without_null(sql: str, scope: Scope) -> str:
    name = scope.notes.fresh()
    return f"list_filter({sql}, lambda {name}: {name} IS NOT NULL)"


def _through_choice(choice: Choice, name: str, scope: Scope) -> Value:
    """``value.code``: from all types that have this element, if its type is the same in all."""
    fitting = [one for one in choice.types if not is_primitive(one) and element_of(one, name) is not None]
    forms = {element_of(one, name) for one in fitting}
    if len(forms) != 1:
        raise WrongType(f"'{choice.name}' can have several types; choose one with ofType(...)")
    found = [member(chosen(choice, one, scope), name, scope) for one in fitting]
    if len(found) == 1:
        return found[0]
    if found[0].choice is not None:
        raise WrongType(f"'{choice.name}' can have several types; choose one with ofType(...)")
    sqls = ", ".join(one.sql for one in found)
    joined = f"list_concat({sqls})" if found[0].many else f"coalesce({sqls})"
    shape = found[0].shape
    return Value(joined, found[0].type, found[0].many, shape if shape and is_primitive(shape.type) else None)


def _beside_primitive(value: Value, name: str, scope: Scope) -> Value:
    """Extensions and id of a primitive are in a sibling: ``_birthDate`` beside ``birthDate``."""
    if name not in ("id", "extension") or value.origin is None:
        scope.warn(f"a {value.type} has no element '{name}'; it is always empty")
        return EMPTY
    parent, own = value.origin
    return member(_step(parent, f"_{own}", "Element", bool(value.shape and value.shape.many), scope), name, scope)


def _resources(value: Value, name: str, scope: Scope) -> Value:
    typed = replace(value, type=name, origin=None)
    if value.shape is None:
        raise WrongType("elements of a resource of unknown type cannot be read")

    def kept(item: Value, _: str) -> Value:
        found = member(item, "resourceType", scope)
        return replace(item, sql=f"CASE WHEN {found.sql} = {quote(name)} THEN {item.sql} END")

    return mapped(typed, kept, scope)


def _refuse_typed_name(structure: str, name: str) -> None:
    """``valueQuantity`` is a JSON name; FHIRPath uses ``value.ofType(Quantity)``."""
    for at in range(1, len(name)):
        element = element_of(structure, name[:at]) if name[at].isupper() else None
        if element is not None and element.choice:
            for one in element.types:
                if name[at:] == one[0].upper() + one[1:]:
                    raise UnknownName(
                        f"'{name}' is a name in JSON, not in FHIRPath", remedy=f"{name[:at]}.ofType({one})"
                    )


def _fhir_name(name: str) -> str:
    if has_type(name):
        return name
    system = {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time"}
    if name in system:
        return name[0].lower() + name[1:]
    raise UnknownName(f"FHIR R4 has no type '{name}'")
