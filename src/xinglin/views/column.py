"""Columns of a view: from the value of a path to SQL of the declared type."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from xinglin.core.sql import quote
from xinglin.fhirpath.elements import has_type, is_primitive, kind_of
from xinglin.fhirpath.errors import UnknownName, WrongType
from xinglin.fhirpath.sql import MARK, SEVERAL, Scope, Value, evaluate
from xinglin.views.definition import ColumnSpec

__all__ = ["MISFIT", "Column", "column_of"]

MISFIT = "a value does not fit the SQL type"
"""Start of the query's error for a value that does not fit the SQL type of a tag."""

_SQL_TYPES = {"boolean": "BOOLEAN", "integer": "BIGINT", "decimal": "DOUBLE"}
_ANSI = re.compile(
    r"BOOLEAN|SMALLINT|INTEGER|INT|BIGINT|REAL|FLOAT|DOUBLE(?: PRECISION)?|(?:DECIMAL|NUMERIC)(?:\(\d+(?:, *\d+)?\))?"
    r"|(?:VARCHAR|CHARACTER VARYING|CHAR)(?:\(\d+\))?|TEXT|DATE|TIME|TIMESTAMP(?: WITH TIME ZONE)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Column:
    """One column of a view.

    Args:
        name: Its name.
        type: Its FHIR type.
        collection: Whether it is a list.
        sql_type: Its type in DuckDB.
        sql: Its expression.
    """

    name: str
    type: str
    collection: bool
    sql_type: str
    sql: str


def column_of(spec: ColumnSpec, scope: Scope) -> Column:
    """Compile one column.

    Args:
        spec: The column in the definition.
        scope: Scope of its path.

    Raises:
        ViewError: The path is wrong, or its value does not have the declared type.
    """
    value = evaluate(spec.path, scope)
    place = f"{spec.place}: {spec.path}"
    if value.choice is not None:
        names = ", ".join(value.choice.types[:4])
        raise WrongType(f"'{value.choice.name}' can have several types ({names} …)", source=place,
                        remedy=f"choose one: {spec.path}.ofType({value.choice.types[0]})")  # fmt: skip
    declared = _declared(spec, place)
    type_name = declared or ("string" if value.empty else value.type)
    _check_type(value, type_name, place)
    exact = bool(spec.sql_type and re.match("DEC|NUM|VAR|CHAR|TEXT", spec.sql_type, re.IGNORECASE))
    if value.kind == "decimal" and value.shape is not None and (exact or kind_of(type_name) == "string"):
        value.shape.exact = True
    if not value.empty and not is_primitive(value.type):
        if value.shape is None:
            raise WrongType("a structure that combines several types cannot be a column", source=place)
        value.shape.whole = value.shape.column = True
    sql, sql_type = _typed(value, type_name, spec, place)
    return Column(spec.name, type_name, spec.collection, sql_type, sql)


def _declared(spec: ColumnSpec, place: str) -> str | None:
    if spec.sql_type and not _ANSI.fullmatch(spec.sql_type):
        raise UnknownName("the tag ansi/type is not a known SQL type", source=place)
    if spec.type is None:
        return None
    name = spec.type.rpartition("/")[2]
    if name.startswith("System."):
        name = name[7].lower() + name[8:]
    if not has_type(name):
        raise UnknownName(f"FHIR R4 has no type '{name}'", source=place)
    return name


def _check_type(value: Value, type_name: str, place: str) -> None:
    wanted = kind_of(type_name)
    fits = value.empty or wanted in (value.kind, "string") or {wanted, value.kind} <= {"date", "dateTime"}
    fits = fits or (wanted == "decimal" and value.kind == "integer")
    fits = (
        fits
        or type_name in ("Element", "BackboneElement", "Resource")
        or (value.kind == "string" and wanted in ("date", "dateTime", "time"))
    )
    if not fits or (is_primitive(type_name) and not value.empty and not is_primitive(value.type)):
        raise WrongType(f"the column is declared as {type_name}, but its path gives {value.type}", source=place)


def _json_text(value: Value) -> Value:
    """A structure as JSON, with numbers as in the resource."""

    def text(sql: str) -> str:
        return rf"""regexp_replace(CAST({sql} AS VARCHAR), '"\{MARK}([^"]*)"', '\1', 'g')"""

    if not value.many:
        return replace(value, sql=text(value.sql), type="string", origin=None)
    return replace(value, sql=f"list_transform({value.sql}, lambda json: {text('json')})", type="string", origin=None)


def _typed(value: Value, type_name: str, spec: ColumnSpec, place: str) -> tuple[str, str]:
    sql_type = spec.sql_type or _SQL_TYPES.get(kind_of(type_name), "VARCHAR")
    if value.shape is not None and value.shape.column:
        sql_type = "VARCHAR"
        value = _json_text(value)
    if spec.collection:
        items = "NULL" if value.empty else value.listed().sql
        return f"coalesce(CAST({items} AS {sql_type}[]), [])", f"{sql_type}[]"
    one = value.single(f"{SEVERAL}: {place}")
    if value.empty:
        return f"NULL::{sql_type}", sql_type
    held = "VARCHAR" if one.exact else _SQL_TYPES.get(one.kind, "VARCHAR")
    if spec.sql_type:
        complaint = quote(f"{MISFIT}: {place}")
        cast = f"TRY_CAST({one.sql} AS {sql_type})"
        return f"CASE WHEN {one.sql} IS NOT NULL AND {cast} IS NULL THEN error({complaint}) ELSE {cast} END", sql_type
    if held == sql_type:
        return one.sql, sql_type
    return f"CAST({one.sql} AS {sql_type})", sql_type
