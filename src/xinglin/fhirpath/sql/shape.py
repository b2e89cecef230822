"""The elements of a resource that a view reads, as the schema for DuckDB's from_json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from xinglin.fhirpath.elements import decimal_names, is_primitive, kind_of
from xinglin.fhirpath.errors import WrongType

__all__ = ["MARK", "Shape"]

MARK = "\\u0001"
"""Marker before a number that was made a string in JSON. FHIR strings cannot contain this character."""

_COLUMN_TYPES = {"boolean": "BOOLEAN", "integer": "BIGINT", "decimal": "DOUBLE"}


@dataclass
class Shape:
    """One element and its parts that are read.

    A view is compiled twice with one shape: the first pass finds out what is read and how, the second writes the SQL.

    Args:
        type: Its FHIR type.
        many: Whether it is a list.
        parts: Parts that are read, by JSON name.
        whole: Whether it is needed as JSON text: for a column, or for a walk to any depth.
        exact: Whether the digits of a number are needed as in the resource.
        column: Whether it is a column, as JSON text.

    Example:
        >>> patient = Shape("Patient")
        >>> patient.part("name", "HumanName", True).part("family", "string", False).type
        'string'
        >>> patient.schema()
        '{"name":[{"family":"VARCHAR"}]}'
    """

    type: str
    many: bool = False
    parts: dict[str, Shape] = field(default_factory=dict)
    whole: bool = False
    exact: bool = False
    column: bool = False

    def part(self, name: str, type_name: str, many: bool) -> Shape:
        """Add a part to read.

        Raises:
            WrongType: Another resource type allowed here has this part in another form.
        """
        known = self.parts.setdefault(name, Shape(type_name, many))
        if known.many != many or (known.type != type_name and {known.column_type(), "JSON"} != {"JSON"}):
            raise WrongType(f"'{name}' is read in two different forms")
        return known

    def column_type(self) -> str:
        """The SQL type of a part without parts of its own."""
        if not is_primitive(self.type):
            return "JSON"
        return "VARCHAR" if self.exact else _COLUMN_TYPES.get(kind_of(self.type), "VARCHAR")

    def schema(self) -> str:
        """The schema of its parts, in the notation of from_json, without its own list."""
        return json.dumps(self._parts(), separators=(",", ":"))

    def held(self, sql: str) -> str:
        """SQL of the parts to keep of one item in JSON text."""
        if self.whole or not self.parts:
            return sql
        return f"from_json({sql}, '{self.schema()}')"

    def exact_names(self) -> set[str]:
        """JSON names of the numbers whose digits are needed."""
        names = {name for name, part in self._below() if part.exact}
        for part in (self, *(part for _, part in self._below())):
            names |= decimal_names(part.type) if part.column else set()
        return names

    def read_exactly(self, names: set[str]) -> None:
        """Read all numbers with these names as text: they become strings before the JSON is parsed."""
        for name, part in self._below():
            if name in names and kind_of(part.type) in ("decimal", "integer"):
                part.exact = True

    def _below(self) -> Iterator[tuple[str, Shape]]:
        for name, part in self.parts.items():
            yield name, part
            yield from part._below()

    def _parts(self) -> Any:
        return {name: [part._form()] if part.many else part._form() for name, part in sorted(self.parts.items())}

    def _form(self) -> Any:
        return "JSON" if self.whole else (self._parts() if self.parts else self.column_type())
