"""A function call while it is compiled: what functions are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xinglin.fhirpath import Expression, Literal, Member
from xinglin.fhirpath.errors import WrongType
from xinglin.fhirpath.sql.scope import Scope
from xinglin.fhirpath.sql.value import Value

__all__ = ["Call", "Function"]


@dataclass(frozen=True)
class Function:
    """One function: how it is compiled and how many arguments it takes."""

    compile: Callable[[Call], Value]
    fewest: int = 0
    most: int = 0


@dataclass(frozen=True)
class Call:
    """One call.

    Args:
        name: The function's name.
        base: What it is called on.
        arguments: As they were written.
        scope: What the arguments can see.
        evaluate: Gives the value of an argument.
    """

    name: str
    base: Value
    arguments: tuple[Expression, ...]
    scope: Scope
    evaluate: Callable[[Expression, Scope], Value]

    def argument(self, position: int = 0) -> Value:
        """The value of an argument, a single item."""
        return self.scope.one(self.collection(position))

    def collection(self, position: int = 0) -> Value:
        """The value of an argument."""
        return self.evaluate(self.arguments[position], self.scope)

    def each(self, item: Value, index: str, position: int = 0) -> Value:
        """The value of an argument where ``$this`` is an item."""
        return self.evaluate(self.arguments[position], self.scope.at(item, index))

    def type_name(self, position: int = 0) -> str:
        """An argument that names a type.

        Raises:
            WrongType: It is something else.
        """
        argument = self.arguments[position]
        if isinstance(argument, Member) and (argument.base is None or isinstance(argument.base, Member)):
            return argument.name
        if isinstance(argument, Literal) and argument.kind == "string":
            return argument.value.rpartition(".")[2]
        raise WrongType(f"'{self.name}()' takes the name of a type")

    def one(self) -> Value:
        """What it is called on, a single item."""
        return self.scope.one(self.base)

    def text(self) -> str:
        """SQL of what it is called on, a single string; dates and codes are strings too.

        Raises:
            WrongType: It is no string.
        """
        return self._string(self.base)

    def text_argument(self, position: int = 0) -> str:
        """SQL of an argument, a single string."""
        return self._string(self.collection(position))

    def _string(self, value: Value) -> str:
        if value.empty:
            return "NULL::VARCHAR"
        if value.kind not in ("string", "date", "dateTime", "time"):
            raise WrongType(
                f"'{self.name}()' needs a string and met {value.choice.name if value.choice else value.type}"
            )
        return self.scope.one(value).sql
