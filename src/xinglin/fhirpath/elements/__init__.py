"""Elements: what FHIR R4 says each structure is made of."""

from xinglin.fhirpath.elements.table import (
    Element,
    decimal_names,
    element_of,
    has_type,
    is_primitive,
    is_resource,
    kind_of,
    parent_of,
)

__all__ = ["Element", "decimal_names", "element_of", "has_type", "is_primitive", "is_resource", "kind_of", "parent_of"]
