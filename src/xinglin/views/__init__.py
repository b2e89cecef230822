"""Views: SQL on FHIR ViewDefinitions compiled to one query over landed resources."""

from xinglin.views.column import Column
from xinglin.views.compile import CompiledView, compile_view
from xinglin.views.errors import SeveralValues, ViewError

__all__ = ["Column", "CompiledView", "SeveralValues", "ViewError", "compile_view"]
