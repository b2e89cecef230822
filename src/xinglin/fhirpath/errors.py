"""What can be wrong with a view, and where in it.

ViewError                   any of them; `source` names the place, as in select[0].column[1].path
├── InvalidDefinition       the JSON is no ViewDefinition (missing resource, a number where text belongs)
├── DuplicateColumn         two columns have one name
├── ColumnMismatch          the branches of a unionAll give different columns
├── PathSyntax              an expression is not FHIRPath
├── UnknownName             a constant, function or type that does not exist, or one that views cannot use
├── WrongType               an expression gives something that its place cannot take
└── SeveralValues           a column that is no collection met several values in one resource (found while running)
"""

from __future__ import annotations

from xinglin.core.errors import UsageError

__all__ = [
    "ColumnMismatch",
    "DuplicateColumn",
    "InvalidDefinition",
    "PathSyntax",
    "SeveralValues",
    "UnknownName",
    "ViewError",
    "WrongType",
]


class ViewError(UsageError):
    """The view is not right.

    Example:
        >>> str(PathSyntax("expected an expression", source="select[0].forEach"))
        'expected an expression (select[0].forEach)'
    """


class InvalidDefinition(ViewError):
    """The JSON is no ViewDefinition."""


class DuplicateColumn(ViewError):
    """Two columns have one name."""


class ColumnMismatch(ViewError):
    """The branches of a unionAll give different columns."""


class PathSyntax(ViewError):
    """An expression is not FHIRPath."""


class UnknownName(ViewError):
    """A constant, function or type that does not exist, or one that views cannot use."""


class WrongType(ViewError):
    """An expression gives something that its place cannot take."""


class SeveralValues(ViewError):
    """A column that is no collection met several values in one resource."""

    exit_code = 1
