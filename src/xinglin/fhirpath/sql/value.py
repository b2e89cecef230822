"""A FHIRPath collection as a DuckDB expression, and its conversions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xinglin.core.sql import quote
from xinglin.fhirpath.elements import kind_of
from xinglin.fhirpath.sql.shape import Shape

__all__ = ["EMPTY", "Choice", "Value", "boolean", "text_literal"]


@dataclass(frozen=True)
class Choice:
    """An element such as ``value[x]`` before its type is chosen.

    Args:
        parent: The structure that contains it.
        name: Its name without the type.
        types: The types it may have.
    """

    parent: Value
    name: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """A collection: a list in SQL if it can have several items, else the item itself; NULL is empty.

    Args:
        sql: The expression.
        type: FHIR type of its items; ``{}`` if always empty, ``[x]`` for a choice without a type.
        many: Whether the expression is a list.
        shape: Elements that are read of the items.
        choice: The choice, if the type is ``[x]``.
        origin: Structure and name it was read from, for the sibling of a primitive (``_birthDate``).
        constant: Whether it is the same for every row.

    Example:
        >>> Value("r.id", "id").kind
        'string'
    """

    sql: str
    type: str
    many: bool = False
    shape: Shape | None = None
    choice: Choice | None = None
    origin: tuple[Value, str] | None = None
    constant: bool = False

    @property
    def kind(self) -> str:
        """The kind of values its items can be compared with."""
        return kind_of(self.type)

    @property
    def exact(self) -> bool:
        """Whether a decimal is text."""
        return self.kind == "decimal" and self.shape is not None and self.shape.exact

    @property
    def empty(self) -> bool:
        """Whether it is always empty."""
        return self.type == "{}"

    def is_there(self) -> str:
        """SQL: whether it has an item."""
        if self.choice is not None:
            raise AssertionError("a choice has no SQL without a type")
        return f"coalesce(len({self.sql}), 0) > 0" if self.many else f"{self.sql} IS NOT NULL"

    def listed(self) -> Value:
        """The same as a list without NULL."""
        if self.many:
            return self
        return replace(self, sql=f"CASE WHEN {self.sql} IS NOT NULL THEN [{self.sql}] END", many=True, origin=None)

    def single(self, complaint: str) -> Value:
        """The single item; several are an error at run time.

        Args:
            complaint: Message of the error.
        """
        if not self.many:
            return self
        item = f"CASE WHEN len({self.sql}) > 1 THEN error({quote(complaint)}) ELSE ({self.sql})[1] END"
        return replace(self, sql=f"({item})", many=False, origin=None)

    def number(self) -> str:
        """SQL of a single number for arithmetic."""
        return f"TRY_CAST({self.sql} AS DOUBLE)" if self.exact else self.sql


EMPTY = Value("NULL", "{}")


def boolean(sql: str) -> Value:
    """A truth value.

    Example:
        >>> boolean("1 = 1").type
        'boolean'
    """
    return Value(f"({sql})", "boolean")


def text_literal(text: str) -> Value:
    """A constant string."""
    return Value(quote(text), "string", constant=True)
