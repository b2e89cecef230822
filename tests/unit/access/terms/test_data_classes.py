from __future__ import annotations

from xinglin.access.terms import data_classes
from xinglin.access.terms.data_classes import LABEL_SYSTEM, classes_of
from xinglin.sources.fhir.resource_types import RESOURCE_TYPES


def test_every_class_is_a_resource_type_or_a_sensitivity() -> None:
    assert data_classes.EVERY_CLASS - data_classes.SENSITIVE <= RESOURCE_TYPES
    assert not data_classes.SENSITIVE & RESOURCE_TYPES


def test_a_resource_belongs_to_its_type_and_its_sensitivities() -> None:
    labels = [{"system": LABEL_SYSTEM, "code": "HIV"}, {"system": LABEL_SYSTEM, "code": "SUD"}, {"code": "R"}]
    found = classes_of({"resourceType": "Observation", "meta": {"security": labels}})
    assert found == {"Observation", "HIV", "SUD"}
    assert classes_of({"resourceType": "Condition"}) == {"Condition"}
