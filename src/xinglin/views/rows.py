"""Iteration of a view: a chain of SELECTs, each of which turns one row into its items.

Iteration is UNNEST in the SELECT list, never a lateral join: DuckDB joins those back by hashing the whole row (six
times slower when measured). Branches of a unionAll share the chain: a row is repeated once for each branch, a column
has the number of its branch, and the steps of other branches pass it through. So a view scans and parses each resource
once, and rows keep the order of the resources.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xinglin.fhirpath.elements import kind_of
from xinglin.fhirpath.errors import ColumnMismatch, InvalidDefinition, WrongType
from xinglin.fhirpath.sql import Scope, Shape, Value, evaluate, truth
from xinglin.views.column import Column, column_of
from xinglin.views.definition import Definition, Select
from xinglin.views.walk import Walk, walk_sql

__all__ = ["Chain", "build_rows"]


@dataclass
class Chain:
    """The SELECTs so far, each reading from the previous one.

    Args:
        shape: Elements that are read of the resource.
        walked: Elements that are read of the items of each repeat, by its place; kept between the two passes.
        indexed: Whether %rowIndex is used anywhere.
        parts: Name and SQL of each common table expression.
    """

    shape: Shape
    walked: dict[str, Shape]
    indexed: bool
    parts: list[tuple[str, str]] = field(default_factory=list)
    steps: int = 0

    @property
    def last(self) -> str:
        """Name of the last SELECT."""
        return self.parts[-1][0].partition("(")[0] if self.parts else "parsed"

    def add(self, added: str) -> None:
        """Add a SELECT that adds one or two columns."""
        self.parts.append((f"step{self.steps}", f"SELECT *, {added} FROM {self.last}"))

    def number(self) -> int:
        """The number of the next step."""
        self.steps += 1
        return self.steps


@dataclass(frozen=True)
class _Level:
    """The current level in the view: scope of expressions, and a guard for its rows."""

    scope: Scope
    guard: str | None = None


def build_rows(definition: Definition, scope: Scope, chain: Chain) -> list[Column]:
    """Compile the whole view.

    Args:
        definition: The view.
        scope: Scope of expressions at the top level.
        chain: Collects the SELECTs.

    Returns:
        The columns, with SQL over the last SELECT of the chain.
    """
    conditions = []
    for number, path in enumerate(definition.where):
        at = replace(scope, place=f"where[{number}].path")
        value = evaluate(path, at)
        if not value.empty and value.type != "boolean":
            raise WrongType("a where path must give true or false", source=f"{at.place}: {path}")
        conditions.append(f"({truth(value, at)})")
    if conditions:
        # A WHERE would be pushed below the parse and parse every resource a second time.
        chain.parts.append(
            (
                "kept",
                f"SELECT *, UNNEST(CASE WHEN {' AND '.join(conditions)} THEN [true] END) AS fits FROM {chain.last}",
            )
        )
    level = _Level(scope)
    columns = [column for select in definition.selects for column in _select(select, level, chain)]
    if not columns:
        raise InvalidDefinition("the view has no column", source="select")
    return columns


def _select(select: Select, level: _Level, chain: Chain) -> list[Column]:
    if select.iteration == "repeat":
        level = _repeat(select, level, chain)
    elif select.iteration:
        level = _for_each(select, level, chain)
    columns = [column_of(spec, replace(level.scope, place=f"{spec.place}.path")) for spec in select.columns]
    for nested in select.selects:
        columns += _select(nested, level, chain)
    return columns + (_union(select, level, chain) if select.union else [])


def _for_each(select: Select, level: _Level, chain: Chain) -> _Level:
    scope = replace(level.scope, place=f"{select.place}.{select.iteration}")
    value = evaluate(select.paths[0], scope)
    if value.choice is not None:
        raise WrongType(f"'{value.choice.name}' can have several types; choose one with ofType(...)",
                        source=f"{scope.place}: {select.paths[0]}")  # fmt: skip
    step = chain.number()
    items = "NULL::VARCHAR[]" if value.empty else value.listed().sql
    listed = items
    if select.iteration == "forEachOrNull":
        own = f"{level.guard} AND " if level.guard else ""
        listed = f"CASE WHEN {own}len({items}) > 0 THEN {items} ELSE [NULL] END"
    elif level.guard:
        listed = f"CASE WHEN {level.guard} THEN {items} ELSE [NULL] END"
    added = f"UNNEST({listed}) AS item{step}"
    if chain.indexed:
        added += f", UNNEST(range(len({listed}))) AS index{step}"
    chain.add(added)
    this = Value(f"item{step}", value.type, shape=value.shape)
    return replace(level, scope=replace(scope.at(this), row_index=f"index{step}"))


def _union(select: Select, level: _Level, chain: Chain) -> list[Column]:
    step = chain.number()
    branches = f"[{', '.join(str(number) for number in range(len(select.union)))}]"
    if level.guard:
        branches = f"CASE WHEN {level.guard} THEN {branches} ELSE [-1] END"
    chain.add(f"UNNEST({branches}) AS branch{step}")
    found = [
        _select(branch, replace(level, guard=f"branch{step} = {number}"), chain)
        for number, branch in enumerate(select.union)
    ]
    return [_merged(f"branch{step}", list(column), select.place) for column in zip(*found, strict=True)]


def _merged(branch: str, columns: list[Column], place: str) -> Column:
    first = columns[0]
    for column in columns:
        if column.collection != first.collection or kind_of(column.type) != kind_of(first.type):
            raise ColumnMismatch(
                f"column '{first.name}' is {first.type} in one branch and {column.type} in another",
                source=f"{place}.unionAll",
            )
    cases = " ".join(f"WHEN {number} THEN {column.sql}" for number, column in enumerate(columns))
    return replace(first, sql=f"CASE {branch} {cases} END")


def _repeat(select: Select, level: _Level, chain: Chain) -> _Level:
    scope = replace(level.scope, place=f"{select.place}.repeat")
    # Each path of a repeat may be empty, at the beginning or below.
    quiet = replace(scope, notes=scope.notes.quiet())
    starts = [evaluate(path, quiet) for path in select.paths]
    types = {start.type for start in starts if not start.empty}
    if len(types) > 1 or "[x]" in types:
        raise WrongType("the paths of a repeat must lead to items of one type", source=scope.place)
    item_type = types.pop() if types else "{}"
    shape = chain.walked.setdefault(select.place, Shape(item_type))
    item = Value("item", item_type, shape=shape)
    children = [evaluate(path, quiet.at(item)) for path in select.paths]
    for path, start, child in zip(select.paths, starts, children, strict=True):
        if start.empty and child.empty:
            scope.warn(f"'{path}' is always empty")
        for value in (start, child):
            if value.shape is not None:
                value.shape.whole = True
            if not value.empty and value.type != item_type:
                raise WrongType("the paths of a repeat must lead to items of one type", source=f"{scope.place}: {path}")
    step = chain.number()
    chain.parts += walk_sql(
        Walk(step, chain.last, _concatenated(starts), _concatenated(children), shape.held("node"), level.guard)
    )
    this = Value(f"item{step}", item_type, shape=shape)
    return replace(level, scope=replace(scope.at(this), row_index=f"index{step}"))


def _concatenated(values: list[Value]) -> str:
    lists = [value.listed().sql for value in values if not value.empty]
    if not lists:
        return "NULL::JSON[]"
    return lists[0] if len(lists) == 1 else f"list_concat({', '.join(lists)})"
