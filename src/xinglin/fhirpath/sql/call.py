"""A function call during compilation: the argument of all function compilers."""

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
        base: The collection it is called on.
        arguments: Unevaluated arguments.
        scope: Scope of the arguments.
        evaluate: Evaluates an argument.
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
        """The value of an argument with ``$this`` set to an item."""
        return self.evaluate(self.arguments[position], self.scope.at(item, index))

    def type_name(self, position: int = 0) -> str:
        """The type named by an argument.

        Raises:
            WrongType: It does not name a type.
        """
        argument = self.arguments[position]
        if isinstance(argument, Member) and (argument.base is None or isinstance(argument.base, Member)):
            return argument.name
        if isinstance(argument, Literal) and argument.kind == "string":
            return argument.value.rpartition(".")[2]
        raise WrongType(f"'{self.name}()' needs the name of a type")

    def one(self) -> Value:
        """The single item it is called on."""
        return self.scope.one(self.base)

    def text(self) -> str:
        """SQL of the single string it is called on; dates and codes are strings too.

        Raises:
            WrongType: It is not a string.
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
                f"'{self.name}()' needs a string, found {value.choice.name if value.choice else value.type}"
            )
        return self.scope.one(value).sql
