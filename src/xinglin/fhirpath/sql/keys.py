"""getResourceKey() and getReferenceKey(): keys to join views by.

A key is ``Type/id``, in a region ``site/Type/id``, because ids are unique only within an institution. A reference
points within its own institution.
"""

from __future__ import annotations

from xinglin.fhirpath.elements import is_resource
from xinglin.fhirpath.errors import UnknownName, WrongType
from xinglin.fhirpath.sql.call import Call, Function
from xinglin.fhirpath.sql.navigate import mapped, member
from xinglin.fhirpath.sql.value import EMPTY, Value

__all__ = ["KEYS"]

_LITERAL = r"(?:^|/)([A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?$"
"""The key of a relative or absolute reference; fragments, searches and URNs have none."""


def _resource_key(call: Call) -> Value:
    if not is_resource(call.base.type) or call.base.many:
        raise WrongType("'getResourceKey()' must be called on a resource")
    found = member(call.base, "id", call.scope)
    name = f"'{call.base.type}'" if call.base.type != "Resource" else member(call.base, "resourceType", call.scope).sql
    return Value(f"(site || {name} || '/' || {found.sql})", "string")


def _reference_key(call: Call) -> Value:
    if call.base.empty:
        return EMPTY
    if call.base.type != "Reference":
        raise WrongType("'getReferenceKey()' must be called on a Reference")
    wanted = call.type_name() if call.arguments else None
    if wanted is not None and not is_resource(wanted):
        raise UnknownName(f"FHIR R4 has no resource type '{wanted}'")

    def key(item: Value, _: str) -> Value:
        reference = member(item, "reference", call.scope).sql
        found = f"nullif(regexp_extract({reference}, '{_LITERAL}', 1), '')"
        if wanted is not None:
            found = f"CASE WHEN starts_with({found}, '{wanted}/') THEN {found} END"
        return Value(f"(site || {found})", "string")

    return mapped(call.base, key, call.scope)


KEYS: dict[str, Function] = {
    "getResourceKey": Function(_resource_key),
    "getReferenceKey": Function(_reference_key, 0, 1),
}
