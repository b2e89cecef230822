"""Expressions: from a FHIRPath tree to DuckDB SQL over lists and structs."""

from xinglin.views.expressions.evaluate import FUNCTIONS, evaluate, literal
from xinglin.views.expressions.logic import truth
from xinglin.views.expressions.navigate import struct_of
from xinglin.views.expressions.scope import SEVERAL, Notes, Scope
from xinglin.views.expressions.shape import MARK, Shape
from xinglin.views.expressions.value import EMPTY, Value, quote

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
