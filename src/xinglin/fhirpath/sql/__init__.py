"""Compile a FHIRPath tree to DuckDB SQL over lists and structs."""

from xinglin.core.sql import quote
from xinglin.fhirpath.sql.evaluate import FUNCTIONS, evaluate, literal
from xinglin.fhirpath.sql.logic import truth
from xinglin.fhirpath.sql.navigate import struct_of
from xinglin.fhirpath.sql.scope import SEVERAL, Notes, Scope
from xinglin.fhirpath.sql.shape import MARK, Shape
from xinglin.fhirpath.sql.value import EMPTY, Value

__all__ = [
    "EMPTY",
    "FUNCTIONS",
    "MARK",
    "SEVERAL",
    "Notes",
    "Scope",
    "Shape",
    "Value",
    "evaluate",
    "literal",
    "quote",
    "struct_of",
    "truth",
]
