"""Table of FHIR R4 elements: type and cardinality of each, read from ``r4.json`` (made by `make`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = [
    "Element",
    "decimal_names",
    "element_of",
    "has_type",
    "is_primitive",
    "is_resource",
    "json_names",
    "kind_of",
    "parent_of",
]

_PRIMITIVES = {
    "boolean": "boolean",
    "integer": "integer",
    "positiveInt": "integer",
    "unsignedInt": "integer",
    "integer64": "integer",
    "decimal": "decimal",
    "date": "date",
    "dateTime": "dateTime",
    "instant": "dateTime",
    "time": "time",
}
_STRINGS = (
    "string", "code", "id", "uri", "url", "canonical", "oid", "uuid", "markdown", "base64Binary", "xhtml"
)  # fmt: skip
_PRIMITIVES |= dict.fromkeys(_STRINGS, "string")
_PARENTS = {
    **dict.fromkeys(("code", "id", "markdown"), "string"),
    **dict.fromkeys(("url", "canonical", "oid", "uuid"), "uri"),
    **dict.fromkeys(("positiveInt", "unsignedInt"), "integer"),
    **dict.fromkeys(("Age", "Count", "Distance", "Duration"), "Quantity"),
}
_EVERY_ELEMENT = {"id": "string", "extension": "Extension*", "modifierExtension": "Extension*"}
_EVERY_RESOURCE = {
    "resourceType": "code",
    "id": "id",
    "meta": "Meta",
    "implicitRules": "uri",
    "language": "code",
    "text": "Narrative",
    "contained": "Resource*",
    "extension": "Extension*",
    "modifierExtension": "Extension*",
}


@dataclass(frozen=True)
class Element:
    """One element of a structure.

    Args:
        types: Its type; several for a choice such as ``value[x]``.
        many: Whether it is a list.
        choice: Whether its name in JSON contains the type, as in ``valueString``.
    """

    types: tuple[str, ...]
    many: bool
    choice: bool


def element_of(structure: str, name: str) -> Element | None:
    """The element with this name; None if the structure has none.

    Example:
        >>> element_of("Patient", "name")
        Element(types=('HumanName',), many=True, choice=False)
        >>> element_of("Patient", "deceased").types
        ('boolean', 'dateTime')
        >>> element_of("Patient", "surname") is None
        True
    """
    return _structure(structure).get(name)


@cache
def json_names(structure: str) -> frozenset[str]:
    """Names of the elements of a structure as they are written in JSON; empty for an unknown structure.

    Example:
        >>> sorted(json_names("Patient") & {"deceased", "deceasedBoolean", "deceasedDateTime", "id", "surname"})
        ['deceasedBoolean', 'deceasedDateTime', 'id']
    """
    if structure not in _table():
        return frozenset()
    return frozenset(
        name + kind[:1].upper() + kind[1:] if one.choice else name
        for name, one in _structure(structure).items()
        for kind in one.types
    )


def has_type(name: str) -> bool:
    """Whether FHIR R4 has a type or resource with this name.

    Example:
        >>> has_type("Patient"), has_type("HumanName"), has_type("Person2")
        (True, True, False)
    """
    return name in _PRIMITIVES or name in _table() or name in ("Element", "Resource")


def is_resource(name: str) -> bool:
    """Whether it is a resource type.

    Example:
        >>> is_resource("Patient"), is_resource("HumanName")
        (True, False)
    """
    return _table().get(name, "").startswith("!") or name == "Resource"


def is_primitive(name: str) -> bool:
    """Whether the type is primitive.

    Example:
        >>> is_primitive("code"), is_primitive("Coding")
        (True, False)
    """
    return name in _PRIMITIVES


def kind_of(name: str) -> str:
    """Kind for comparison: boolean, integer, decimal, string, date, dateTime or time; else its own name.

    Example:
        >>> kind_of("code"), kind_of("instant"), kind_of("Coding")
        ('string', 'dateTime', 'Coding')
    """
    return _PRIMITIVES.get(name, name)


def parent_of(name: str) -> str | None:
    """The type it is derived from.

    Example:
        >>> parent_of("Age"), parent_of("Patient")
        ('Quantity', None)
    """
    return _PARENTS.get(name)


@cache
def decimal_names(name: str) -> frozenset[str]:
    """JSON names of all decimals in a structure at any depth, without extensions.

    Example:
        >>> sorted(decimal_names("Range")), sorted(decimal_names("CodeableConcept"))
        (['value'], [])
    """
    found: set[str] = set()
    waiting, seen = [name], set[str]()
    while waiting:
        structure = waiting.pop()
        if structure in seen or structure in ("Extension", "Resource"):
            continue
        seen.add(structure)
        for key, element in _structure(structure).items():
            for one in element.types:
                if one == "decimal":
                    found.add(f"{key}Decimal" if element.choice else key)
                elif one not in _PRIMITIVES:
                    waiting.append(one)
    return frozenset(found)


@cache
def _table() -> dict[str, str]:
    content: dict[str, str] = json.loads((Path(__file__).parent / "r4.json").read_text())
    return content


@cache
def _structure(name: str) -> dict[str, Element]:
    if name in _PRIMITIVES:
        return {}
    everywhere = _EVERY_RESOURCE if is_resource(name) else _EVERY_ELEMENT
    words = [f"{key}:{kind}" for key, kind in everywhere.items()]
    words += _table().get(name, "").removeprefix("!").split()
    elements = {}
    for word in words:
        key, types = word.split(":", 1)
        many, choice = types.endswith("*"), key.endswith("[x]")
        elements[key.removesuffix("[x]")] = Element(tuple(types.removesuffix("*").split(",")), many, choice)
    return elements
