"""Errors of views and FHIRPath expressions.

ViewError                   base class; `source` names the place, as in select[0].column[1].path
├── InvalidDefinition       the JSON is not a ViewDefinition (missing resource, a number instead of text)
├── DuplicateColumn         two columns have the same name
├── ColumnMismatch          the branches of a unionAll have different columns
├── PathSyntax              an expression is not FHIRPath
├── UnknownName             a constant, function or type does not exist or cannot be used in views
├── WrongType               the type of an expression is not allowed at its place
└── SeveralValues           a column that is not a collection has several values in one resource (at run time)
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
    """A view or one of its expressions is not valid.

    Example:
        >>> str(PathSyntax("expected an expression", source="select[0].forEach"))
        'expected an expression (select[0].forEach)'
    """


class InvalidDefinition(ViewError):
    """The JSON is not a ViewDefinition."""


class DuplicateColumn(ViewError):
    """Two columns have the same name."""


class ColumnMismatch(ViewError):
    """The branches of a unionAll have different columns."""


class PathSyntax(ViewError):
    """An expression is not FHIRPath."""


class UnknownName(ViewError):
    """A constant, function or type does not exist or cannot be used in views."""


class WrongType(ViewError):
    """The type of an expression is not allowed at its place."""


class SeveralValues(ViewError):
    """A column that is not a collection has several values in one resource."""

    exit_code = 1
