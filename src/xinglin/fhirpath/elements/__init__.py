"""Elements of FHIR R4: type and cardinality of each."""

from xinglin.fhirpath.elements.table import (
    Element,
    decimal_names,
    element_of,
    has_type,
    is_primitive,
    is_resource,
    json_names,
    kind_of,
    parent_of,
)

__all__ = [
    "Element",
    "decimal_names",
    "element_of",
    "has_type",
    "is_primitive",
    "is_resource",
    "json_names",
    "kind_of",
    "parent_of",
]
