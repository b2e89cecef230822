"""Syntax tree of a FHIRPath expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Binary",
    "Call",
    "Empty",
    "Expression",
    "Index",
    "Literal",
    "Member",
    "This",
    "TypeTest",
    "Unary",
    "Variable",
]


@dataclass(frozen=True)
class Literal:
    """A literal; `kind` is boolean, integer, decimal, string, date, dateTime or time."""

    value: str
    kind: str


@dataclass(frozen=True)
class Empty:
    """``{}``."""


@dataclass(frozen=True)
class This:
    """``$this`` or ``$index``."""

    name: str


@dataclass(frozen=True)
class Variable:
    """``%name``."""

    name: str


@dataclass(frozen=True)
class Member:
    """``base.name``; a bare name has no base."""

    base: Expression | None
    name: str


@dataclass(frozen=True)
class Call:
    """``base.name(arguments)``; without a base it is called on ``$this``."""

    base: Expression | None
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Index:
    """``base[position]``."""

    base: Expression
    position: Expression


@dataclass(frozen=True)
class Unary:
    """``-x`` or ``+x``."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary:
    """``left operator right``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class TypeTest:
    """``operand is Type`` or ``operand as Type``."""

    operator: str
    operand: Expression
    type: str


Expression: TypeAlias = Literal | Empty | This | Variable | Member | Call | Index | Unary | Binary | TypeTest
