"""ViewDefinitions as data classes, checked against their JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xinglin.fhirpath.elements import is_resource, kind_of
from xinglin.fhirpath.errors import ColumnMismatch, DuplicateColumn, InvalidDefinition

__all__ = ["ColumnSpec", "Constant", "Definition", "Select", "read_definition"]

_ITERATIONS = ("forEach", "forEachOrNull", "repeat")


@dataclass(frozen=True)
class ColumnSpec:
    """One column of the definition."""

    name: str
    path: str
    type: str | None
    collection: bool
    sql_type: str | None
    place: str


@dataclass(frozen=True)
class Select:
    """One select: its iteration, columns, nested selects and union.

    Args:
        iteration: forEach, forEachOrNull, repeat or empty.
        paths: Paths to iterate over; several only for repeat.
        columns: Its own columns.
        selects: Nested selects.
        union: The branches of its unionAll.
        place: Its place in the view.
    """

    iteration: str
    paths: tuple[str, ...]
    columns: tuple[ColumnSpec, ...]
    selects: tuple[Select, ...]
    union: tuple[Select, ...]
    place: str

    def names(self) -> list[str]:
        """Names of all its columns, in order."""
        names = [column.name for column in self.columns]
        for nested in self.selects:
            names += nested.names()
        return names + (self.union[0].names() if self.union else [])

    def all_selects(self) -> Iterator[Select]:
        """This select and all selects below it."""
        yield self
        for nested in (*self.selects, *self.union):
            yield from nested.all_selects()


@dataclass(frozen=True)
class Constant:
    """One constant: its text and the type of its value."""

    name: str
    text: str
    kind: str


@dataclass(frozen=True)
class Definition:
    """A view definition."""

    resource: str
    selects: tuple[Select, ...]
    where: tuple[str, ...]
    constants: tuple[Constant, ...]

    def names(self) -> list[str]:
        """Names of all columns, in order."""
        return [name for select in self.selects for name in select.names()]


def read_definition(view: Any) -> Definition:
    """Read and check a ViewDefinition.

    Args:
        view: The parsed JSON.

    Raises:
        InvalidDefinition: It is not a valid ViewDefinition; `source` names the place.
        DuplicateColumn: Two columns have the same name.
        ColumnMismatch: The branches of a unionAll have different columns.

    Example:
        >>> view = {"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}]}
        >>> read_definition(view).names()
        ['id']
    """
    for error in _validator().iter_errors(view):
        raise InvalidDefinition(error.message, source=_place(error.instance_path) or "the view")
    if not is_resource(view["resource"]) or view["resource"] == "Resource":
        raise InvalidDefinition("FHIR R4 does not have this resource type", source="resource")
    definition = Definition(
        view["resource"],
        tuple(_select(part, f"select[{number}]") for number, part in enumerate(view["select"])),
        tuple(part["path"] for part in view.get("where", ())),
        tuple(_constant(part, f"constant[{number}]") for number, part in enumerate(view.get("constant", ()))),
    )
    _check_names(definition)
    return definition


def _select(part: dict[str, Any], place: str) -> Select:
    iterations = [name for name in _ITERATIONS if name in part]
    if len(iterations) > 1:
        raise InvalidDefinition(f"a select has {iterations[0]} or {iterations[1]}, not both", source=place)
    paths = part[iterations[0]] if iterations else ()
    return Select(
        iterations[0] if iterations else "",
        (paths,) if isinstance(paths, str) else tuple(paths),
        tuple(_column(one, f"{place}.column[{number}]") for number, one in enumerate(part.get("column", ()))),
        tuple(_select(one, f"{place}.select[{number}]") for number, one in enumerate(part.get("select", ()))),
        tuple(_select(one, f"{place}.unionAll[{number}]") for number, one in enumerate(part.get("unionAll", ()))),
        place,
    )


def _column(part: dict[str, Any], place: str) -> ColumnSpec:
    tags = {tag["name"]: tag["value"] for tag in part.get("tag", ())}
    return ColumnSpec(
        part["name"], part["path"], part.get("type"), part.get("collection", False), tags.get("ansi/type"), place
    )


def _constant(part: dict[str, Any], place: str) -> Constant:
    values = [name for name in part if name.startswith("value")]
    if len(values) != 1:
        raise InvalidDefinition("a constant has exactly one value", source=place)
    type_name = values[0][5].lower() + values[0][6:]
    kind = kind_of(type_name)
    if kind not in ("boolean", "integer", "decimal", "string", "date", "dateTime", "time"):
        raise InvalidDefinition("a constant must be a primitive value", source=f"{place}.{values[0]}")
    value = part[values[0]]
    if kind == "integer" and not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise InvalidDefinition("expected an integer", source=f"{place}.{values[0]}")
    return Constant(part["name"], json.dumps(value) if kind == "boolean" else str(value), kind)


def _check_names(definition: Definition) -> None:
    for select in (one for top in definition.selects for one in top.all_selects()):
        for number, branch in enumerate(select.union):
            if branch.names() != select.union[0].names():
                raise ColumnMismatch(
                    "the branches of a unionAll must have the same columns in the same order",
                    source=f"{select.place}.unionAll[{number}]",
                )
    names = definition.names()
    for at, name in enumerate(names):
        # SQL does not distinguish columns by case.
        if name.lower() in (earlier.lower() for earlier in names[:at]):
            raise DuplicateColumn(f"two columns have the name '{name}'", source="select")
    constants = [constant.name for constant in definition.constants]
    if len(set(constants)) != len(constants):
        raise InvalidDefinition("two constants have the same name", source="constant")


def _place(path: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(json.loads((Path(__file__).parent / "definition.schema.json").read_text()))
