"""FHIRPath: parse expressions, and compile them to DuckDB SQL."""

from xinglin.fhirpath.parse import parse
from xinglin.fhirpath.tree import (
    Binary,
    Call,
    Empty,
    Expression,
    Index,
    Literal,
    Member,
    This,
    TypeTest,
    Unary,
    Variable,
)

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
    "parse",
]
