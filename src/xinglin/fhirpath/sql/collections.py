"""Functions on collections: filters, tests, subsets, types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.call import Call, Function
from xinglin.fhirpath.sql.compare import comparable, equal
from xinglin.fhirpath.sql.logic import truth
from xinglin.fhirpath.sql.navigate import is_there, mapped, member, of_type
from xinglin.fhirpath.sql.scope import Scope
from xinglin.fhirpath.sql.value import EMPTY, Value, boolean

__all__ = ["COLLECTIONS", "united"]


def united(left: Value, right: Value, scope: Scope) -> Value:
    """``|``: union without duplicates."""
    return _distinct(_combined(left, right), scope)


def _filter(items: Value, scope: Scope, condition: Callable[[Value, str], str]) -> Value:
    if items.empty:
        return EMPTY
    _plain(items)
    if not items.many:
        kept = condition(items, "1")
        return replace(items, sql=f"CASE WHEN {kept} THEN {items.sql} END")
    name, index = scope.notes.fresh(), scope.notes.fresh()
    kept = condition(replace(items, sql=name, many=False, origin=None), index)
    names = f"{name}, {index}" if index in kept else name
    return replace(items, sql=f"list_filter({items.sql}, lambda {names}: {kept})", origin=None)


def _where(call: Call) -> Value:
    return _filter(call.base, call.scope, lambda item, index: truth(call.each(item, index), call.scope))


def _select(call: Call) -> Value:
    _plain(call.base)
    return mapped(call.base, call.each, call.scope)


def _exists(call: Call) -> Value:
    return boolean(is_there(_where(call) if call.arguments else call.base, call.scope))


def _empty(call: Call) -> Value:
    return boolean(f"NOT {is_there(call.base, call.scope)}")


def _count(call: Call) -> Value:
    if call.base.empty:
        return Value("0::BIGINT", "integer")
    if call.base.choice is not None or not call.base.many:
        return Value(f"CASE WHEN {is_there(call.base, call.scope)} THEN 1 ELSE 0 END", "integer")
    return Value(f"coalesce(len({call.base.sql}), 0)", "integer")


def _all(call: Call) -> Value:
    failing = _filter(
        call.base, call.scope, lambda item, index: f"({truth(call.each(item, index), call.scope)}) IS NOT TRUE"
    )
    return boolean(f"NOT {is_there(failing, call.scope)}")


def _every(wanted: bool, some: bool) -> Callable[[Call], Value]:
    """allTrue, allFalse, anyTrue, anyFalse."""

    def compile_it(call: Call) -> Value:
        if not call.base.empty and call.base.type != "boolean":
            raise WrongType(f"'{call.name}()' needs booleans")
        sign = "" if wanted == some else "NOT "
        found = _filter(call.base, call.scope, lambda item, _: f"{sign}{item.sql}")
        return boolean(f"{'' if some else 'NOT '}{is_there(found, call.scope)}")

    return compile_it


def _first(call: Call) -> Value:
    return _at(call.base, "1")


def _last(call: Call) -> Value:
    return _at(call.base, "-1")


def _single(call: Call) -> Value:
    return call.base if call.base.choice is not None else call.one()


def _at(items: Value, place: str) -> Value:
    return replace(items, sql=f"({items.sql})[{place}]", many=False, origin=None) if items.many else items


def _slice(begin: Callable[[str], str], end: Callable[[str], str]) -> Callable[[Call], Value]:
    """skip, take, tail."""

    def compile_it(call: Call) -> Value:
        if call.base.empty:
            return EMPTY
        number = call.argument().sql if call.arguments else "1"
        items = call.base.listed()
        return replace(items, sql=f"({items.sql})[{begin(number)}:{end(number)}]", origin=None)

    return compile_it


def _not(call: Call) -> Value:
    return boolean(f"NOT ({truth(call.base, call.scope)})")


def _distinct(items: Value, scope: Scope) -> Value:
    if not items.many or items.empty:
        return items
    comparable(items, items)
    name, index = scope.notes.fresh(), scope.notes.fresh()
    kept = f"list_position({items.sql}, {name}) = {index}"
    return replace(items, sql=f"list_filter({items.sql}, lambda {name}, {index}: {kept})", origin=None)


def _is_distinct(call: Call) -> Value:
    if not call.base.many:
        return boolean("true")
    comparable(call.base, call.base)
    return boolean(f"coalesce(len(list_distinct({call.base.sql})) = len({call.base.sql}), true)")


def _combined(left: Value, right: Value) -> Value:
    if left.empty or right.empty:
        return right if left.empty else left
    _plain(left)
    _plain(right)
    if left.kind != right.kind:
        raise WrongType(f"{left.type} and {right.type} cannot be in one collection of a view")
    return replace(left, sql=f"list_concat({left.listed().sql}, {right.listed().sql})", many=True, origin=None)


def _in_both(wanted: bool) -> Callable[[Call], Value]:
    """intersect, exclude."""

    def compile_it(call: Call) -> Value:
        other = call.collection()
        if call.base.empty or other.empty:
            return call.base if not wanted else EMPTY
        comparable(call.base, other)

        def kept(item: Value, _: str) -> str:
            name = call.scope.notes.fresh()
            same = equal(Value(name, other.type, shape=other.shape), item, call.scope).sql
            hits = f"coalesce(len(list_filter({other.listed().sql}, lambda {name}: {same})), 0)"
            return f"{hits} {'>' if wanted else '='} 0"

        found = _filter(call.base.listed(), call.scope, kept)
        return _distinct(found, call.scope) if wanted else found

    return compile_it


def _iif(call: Call) -> Value:
    condition = truth(call.collection(0), call.scope)
    then = call.collection(1)
    otherwise = call.collection(2) if len(call.arguments) > 2 else EMPTY
    if then.empty and otherwise.empty:
        return EMPTY
    kept = otherwise if then.empty else then
    _plain(kept)
    if not then.empty and not otherwise.empty and then.kind != otherwise.kind:
        raise WrongType(f"iif() gives {then.type} or {otherwise.type}, but a column has one type")
    many = then.many or otherwise.many
    sides = [side.listed().sql if many and not side.empty else side.sql for side in (then, otherwise)]
    return replace(kept, sql=f"CASE WHEN {condition} THEN {sides[0]} ELSE {sides[1]} END", many=many, origin=None)


def _extension(call: Call) -> Value:
    url = call.text_argument()
    found = member(call.base, "extension", call.scope)
    return _filter(found, call.scope, lambda item, _: f"{member(item, 'url', call.scope).sql} = {url}")


def _of_type(call: Call) -> Value:
    return of_type(call.base, call.type_name(), call.scope)


def _is(call: Call) -> Value:
    found = of_type(call.base, call.type_name(), call.scope)
    if call.base.empty:
        return EMPTY
    return boolean(f"CASE WHEN {is_there(call.base, call.scope)} THEN {is_there(found, call.scope)} END")


def _trace(call: Call) -> Value:
    return call.base


def _plain(items: Value) -> None:
    if items.choice is not None:
        raise WrongType(f"'{items.choice.name}' can have several types; choose one with ofType(...)")


COLLECTIONS: dict[str, Function] = {
    "where": Function(_where, 1, 1),
    "select": Function(_select, 1, 1),
    "exists": Function(_exists, 0, 1),
    "empty": Function(_empty),
    "hasValue": Function(_exists),
    "getValue": Function(_single),
    "count": Function(_count),
    "all": Function(_all, 1, 1),
    "allTrue": Function(_every(True, some=False)),
    "allFalse": Function(_every(False, some=False)),
    "anyTrue": Function(_every(True, some=True)),
    "anyFalse": Function(_every(False, some=True)),
    "first": Function(_first),
    "last": Function(_last),
    "single": Function(_single),
    "tail": Function(_slice(lambda _: "2", lambda _: "")),
    "skip": Function(_slice(lambda n: f"greatest({n}, 0) + 1", lambda _: ""), 1, 1),
    "take": Function(_slice(lambda _: "1", lambda n: f"greatest({n}, 0)"), 1, 1),
    "not": Function(_not),
    "distinct": Function(lambda call: _distinct(call.base, call.scope)),
    "isDistinct": Function(_is_distinct),
    "union": Function(lambda call: united(call.base, call.collection(), call.scope), 1, 1),
    "combine": Function(lambda call: _combined(call.base, call.collection()), 1, 1),
    "intersect": Function(_in_both(True), 1, 1),
    "exclude": Function(_in_both(False), 1, 1),
    "iif": Function(_iif, 2, 3),
    "extension": Function(_extension, 1, 1),
    "ofType": Function(_of_type, 1, 1),
    "as": Function(_of_type, 1, 1),
    "is": Function(_is, 1, 1),
    "trace": Function(_trace, 1, 2),
}
