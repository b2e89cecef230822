"""Compile a ViewDefinition to one DuckDB query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xinglin.core.sql import quote
from xinglin.fhirpath.sql import MARK, Notes, Scope, Shape, Value, literal
from xinglin.views.column import Column
from xinglin.views.definition import Definition, read_definition
from xinglin.views.rows import Chain, build_rows

__all__ = ["CompiledView", "compile_view"]


@dataclass(frozen=True)
class CompiledView:
    """A compiled view.

    The rows of a resource depend on that resource alone. Therefore a view can be run on each landed file separately, in
    any process, and the concatenated results are the result of the whole.

    Args:
        resource: The resource type it reads.
        columns: Its columns in order.
        warnings: What is allowed but probably a mistake, such as an element that FHIR R4 does not have.
        head: The SQL before the source relation.
        tail: The SQL after it.
    """

    resource: str
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]
    head: str
    tail: str

    def sql(self, source: str = "resources") -> str:
        """The query over any relation.

        Args:
            source: A table or a SELECT in brackets, with the columns ``site`` (empty, or a name and a slash) and
                ``resource`` (FHIR JSON of the view's resource type only).
        """
        return f"{self.head}{source}{self.tail}"


def compile_view(view: Any) -> CompiledView:
    """Compile a ViewDefinition (SQL on FHIR v2).

    Args:
        view: The parsed JSON.

    Raises:
        ViewError: The view is not valid; the error says what and where.

    Example:
        >>> import duckdb
        >>> view = compile_view({"resource": "Patient", "select": [
        ...     {"column": [{"name": "id", "path": "id"}]},
        ...     {"forEach": "name", "column": [{"name": "family", "path": "family"}]}]})
        >>> [(column.name, column.sql_type) for column in view.columns]
        [('id', 'VARCHAR'), ('family', 'VARCHAR')]
        >>> patient = '{"resourceType":"Patient","id":"a","name":[{"family":"Li"},{"family":"Lee"}]}'
        >>> duckdb.execute(view.sql(f"(SELECT '' AS site, '{patient}' AS resource)")).fetchall()
        [('a', 'Li'), ('a', 'Lee')]
    """
    definition = read_definition(view)
    shape, walked = Shape(definition.resource), dict[str, Shape]()
    _compile(definition, shape, walked, set())  # the first pass finds out what is read, and how
    shapes = (shape, *walked.values())
    exact = set[str]().union(*(one.exact_names() for one in shapes))
    for one in shapes:
        one.read_exactly(exact)
    return _compile(definition, shape, walked, exact)


def _compile(definition: Definition, shape: Shape, walked: dict[str, Shape], exact: set[str]) -> CompiledView:
    notes = Notes()
    resource = Value("r", definition.resource, shape=shape)
    scope = Scope("", resource, resource, "0::BIGINT", _constants(definition), notes)
    chain = Chain(shape, walked, indexed=_uses_row_index(definition))
    columns = build_rows(definition, scope, chain)
    selected = ",\n  ".join(f'{column.sql} AS "{column.name}"' for column in columns)
    head = f"WITH RECURSIVE parsed AS NOT MATERIALIZED (\n  {_parsed(shape, exact)} FROM "
    steps = "".join(f",\n{name} AS {_kept(name)} (\n  {sql}\n)" for name, sql in chain.parts)
    tail = f"\n){steps}\nSELECT\n  {selected}\nFROM {chain.last}"
    return CompiledView(definition.resource, tuple(columns), tuple(notes.warnings), head, tail)


def _kept(name: str) -> str:
    """Whether to materialize a step: only the start of a walk is read twice."""
    if name.startswith("walk"):
        return ""
    return "MATERIALIZED" if name.startswith("start") else "NOT MATERIALIZED"


def _parsed(shape: Shape, exact: set[str]) -> str:
    text = "resource"
    if exact:
        # DuckDB reads every JSON number as a double and loses its digits, so these become strings first. A name in
        # quotes, a colon and a digit cannot occur inside a JSON string, because quotes are escaped there.
        pattern = rf'("(?:{"|".join(sorted(exact))})"\s*:\s*)(-?[0-9][0-9.eE+-]*)'
        text = f"regexp_replace(resource, {quote(pattern)}, '\\1\"\\{MARK}\\2\"', 'g')"
    return f"SELECT site, {shape.held(f'CAST({text} AS JSON)' if shape.whole else text)} AS r"


def _constants(definition: Definition) -> dict[str, Callable[[], Value]]:
    def maker(text: str, kind: str) -> Callable[[], Value]:
        return lambda: literal(text, kind)

    return {constant.name: maker(constant.text, constant.kind) for constant in definition.constants}


def _uses_row_index(definition: Definition) -> bool:
    paths = (column.path for top in definition.selects for one in top.all_selects() for column in one.columns)
    loops = (path for top in definition.selects for one in top.all_selects() for path in one.paths)
    return any("rowIndex" in path for path in (*paths, *loops))
