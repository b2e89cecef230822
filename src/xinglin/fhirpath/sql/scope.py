"""Scope of an expression: its place in the view, ``$this``, constants and the resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from xinglin.fhirpath.sql.value import Value

__all__ = ["SEVERAL", "Notes", "Scope"]

SEVERAL = "several values where one is expected"
"""Start of the query's error; the place follows."""


class Notes:
    """Warnings of a compilation, and unique names for lambda parameters."""

    def __init__(self, names: Iterator[int] | None = None) -> None:
        self.warnings: dict[str, None] = {}
        self._names = names or count(1)

    def quiet(self) -> Notes:
        """Notes that share the names but have their own warnings, for paths that may be empty."""
        return Notes(self._names)

    def warn(self, text: str) -> None:
        """Add a warning once."""
        self.warnings[text] = None

    def fresh(self) -> str:
        """A name that no other lambda of the query uses."""
        return f"x{next(self._names)}"


@dataclass(frozen=True)
class Scope:
    """Scope of an expression.

    Args:
        place: Its place in the view: ``select[0].column[1].path``.
        this: ``$this``.
        resource: The resource.
        row_index: SQL of ``%rowIndex``.
        constants: The view's constants.
        notes: Collects warnings.
        index: SQL of ``$index``, inside where(), select() and all().
    """

    place: str
    this: Value
    resource: Value
    row_index: str
    constants: dict[str, Callable[[], Value]]
    notes: Notes
    index: str | None = None

    def at(self, this: Value, index: str | None = None) -> Scope:
        """The same scope for another item."""
        return replace(self, this=this, index=index)

    def one(self, value: Value) -> Value:
        """The single item of a collection; several are an error at run time."""
        return value.single(f"{SEVERAL}: {self.place}")

    def warn(self, text: str) -> None:
        """Add a warning with the place."""
        self.notes.warn(f"{self.place}: {text}")
