"""Views: SQL on FHIR ViewDefinitions compiled to one query over landed resources."""

from xinglin.fhirpath.errors import SeveralValues, ViewError
from xinglin.views.column import Column
from xinglin.views.compile import CompiledView, compile_view
from xinglin.views.run import fetch, view_errors
from xinglin.views.suite import run_suite

__all__ = [
    "Column",
    "CompiledView",
    "SeveralValues",
    "ViewError",
    "compile_view",
    "fetch",
    "run_suite",
    "view_errors",
]
