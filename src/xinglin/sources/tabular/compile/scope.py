"""Columns as functions of a row: what every part of a mapping is compiled against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from xinglin.core.errors import BadInput
from xinglin.sources.record import Rejected
from xinglin.sources.tabular.files.cells import is_inexact
from xinglin.sources.tabular.mapping.file import Mapping, Table, fault, is_yes
from xinglin.sources.tabular.mapping.places import Path

__all__ = ["PSEUDO", "Made", "Row", "Run", "Scope", "pieces_of"]

Row = list[str]
Run = Callable[[Row], Any]

PSEUDO = ("$row", "$stem", "$file", "$item")
"""What stands behind a row's own fields: its number, the file's name without and with ending, one item of a split."""


class Made(NamedTuple):
    """A compiled place of the mapping.

    Args:
        run: Gives the value for a row, None where it has none; None for a constant.
        constant: The value where it is the same for all rows.
    """

    run: Run | None
    constant: Any = None


class Scope:
    """A table of the mapping, seen with the header of one file.

    Args:
        mapping: The mapping.
        table: One of its tables.
        header: Names of the columns; None to find out which ones are used.
        typed: Whether the source knows dates from texts, so that its dates are ISO 8601 whatever the mapping says.
    """

    def __init__(self, mapping: Mapping, table: Table, header: tuple[str, ...] | None, typed: bool = False) -> None:
        self.mapping = mapping
        self.table = table
        self.typed = typed
        self.used: dict[str, None] = {}
        self._index = None if header is None else {name: place for place, name in enumerate((*header, *PSEUDO))}

    def fault(self, path: Path, what: str, remedy: str) -> BadInput:
        """An error at a place of the mapping."""
        return fault(self.mapping.source, path, what, remedy)

    def column(self, name: str, path: Path) -> Run:
        """A column's value without blanks around it; None where it is empty or one of the null words."""
        if name.startswith("$") and name not in PSEUDO:
            raise self.fault(path, f"there is no {name}", f"name a column, or one of {', '.join(PSEUDO)}")
        self.used[name] = None
        place = 0 if self._index is None else self._index.get(name, -1)
        if place < 0:
            return lambda row: None
        own = self.table.column(name).nulls
        nulls = self.table.nulls if own is None else own
        detail = (
            f"expected every digit of the number in column {name}; a spreadsheet keeps 15. "
            "Fix: format the column as text before the numbers are entered, and export it again"
        )

        def run(row: Row) -> str | None:
            value = row[place]
            if is_inexact(value):
                raise Rejected("inexact-number", detail)
            value = value.strip()
            return None if not value or value in nulls else value

        return run

    def template(self, text: str, path: Path) -> Made:
        """A text in which columns stand in braces; it has no value where one of them has none."""
        try:
            pieces = pieces_of(text)
        except ValueError as error:
            raise self.fault(path, str(error), "close the brace, or double it for the sign itself") from None
        if all(name is None for _, name in pieces):
            return Made(None, "".join(literal for literal, _ in pieces))
        parts = [(literal, None if name is None else self.column(name, path)) for literal, name in pieces]
        first = parts[0][1]
        if len(parts) == 1 and not parts[0][0] and first is not None:
            return Made(first)

        def run(row: Row) -> str | None:
            made = ""
            for literal, column in parts:
                made += literal
                if column is not None:
                    value = column(row)
                    if value is None:
                        return None
                    made += value
            return made

        return Made(run)

    def required(self, leaf: dict[str, Any], names: str, run: Run) -> Run:
        """The same function, which rejects the row where there is no value and the mapping says required."""
        if not is_yes(leaf.get("required")):
            return run

        def demanding(row: Row) -> Any:
            value = run(row)
            if value is None:
                raise Rejected("missing-value", f"expected a value in column {names}")
            return value

        return demanding


def pieces_of(template: str) -> list[tuple[str, str | None]]:
    """A template as literal text and the column after it; the last may have none.

    Raises:
        ValueError: A brace is open or stands alone.

    Example:
        >>> pieces_of("a{b}-{c}"), pieces_of("{{x}}")
        ([('a', 'b'), ('-', 'c')], [('{x}', None)])
    """
    pieces: list[tuple[str, str | None]] = []
    literal, place = "", 0
    while place < len(template):
        sign = template[place]
        if sign in "{}" and template[place : place + 2] == sign * 2:
            literal, place = literal + sign, place + 2
        elif sign == "{":
            end = template.find("}", place)
            if end < place + 2:
                raise ValueError("a brace { is not closed, or nothing stands in it")
            pieces.append((literal, template[place + 1 : end]))
            literal, place = "", end + 1
        elif sign == "}":
            raise ValueError("a brace } stands alone")
        else:
            literal, place = literal + sign, place + 1
    if literal or not pieces:
        pieces.append((literal, None))
    return pieces
