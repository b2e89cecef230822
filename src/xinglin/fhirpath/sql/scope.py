"""What an expression can see: its place in the view, ``$this``, constants and the resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from xinglin.fhirpath.sql.value import Value

__all__ = ["SEVERAL", "Notes", "Scope"]

SEVERAL = "several values where one is expected"
"""How the error of the running query begins; the place follows."""


class Notes:
    """What compiling wants to say about a view that is allowed, and names for lambda parameters."""

    def __init__(self, names: Iterator[int] | None = None) -> None:
        self.warnings: dict[str, None] = {}
        self._names = names or count(1)

    def quiet(self) -> Notes:
        """Notes with the same names and warnings of their own, for what may be empty."""
        return Notes(self._names)

    def warn(self, text: str) -> None:
        """Remember a warning once."""
        self.warnings[text] = None

    def fresh(self) -> str:
        """A name that no other lambda of the query uses."""
        return f"x{next(self._names)}"


@dataclass(frozen=True)
class Scope:
    """What an expression can see.

    Args:
        place: Where it stands in the view: ``select[0].column[1].path``.
        this: ``$this``.
        resource: The resource.
        row_index: SQL of ``%rowIndex``.
        constants: The view's constants.
        notes: Where warnings go.
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
        """The same, looking at another item."""
        return replace(self, this=this, index=index)

    def one(self, value: Value) -> Value:
        """The one item of a collection; several are an error while running."""
        return value.single(f"{SEVERAL}: {self.place}")

    def warn(self, text: str) -> None:
        """Remember a warning with the place."""
        self.notes.warn(f"{self.place}: {text}")
