"""The mapping is data: it is whole, and a mistake in a site's file is told where it stands."""

from __future__ import annotations

import pytest

from xinglin.core.errors import UsageError
from xinglin.sources.fhir.resource_types import RESOURCE_TYPES
from xinglin.sources.hl7v2.rules.load import compiled


def test_every_message_type_of_the_mapping_compiles_and_names_known_resources() -> None:
    known = compiled()
    for name in known.messages:
        plan = known.plan(name)
        assert plan is not None
        assert {rule.resource_type for rules in plan.rules.values() for rule in rules} <= RESOURCE_TYPES
        assert plan.mentions <= {rule.name for rules in plan.rules.values() for rule in rules} | {
            "Coverage",
            "RelatedPerson",
        }


USUAL = """ADT^A01 ADT^A08 ADT^A40 ORU^R01 ORM^O01 OML^O21 RDE^O11 VXU^V04 SIU^S12 MDM^T02 DFT^P03 BAR^P01
REF^I12 PPR^PC1 RDS^O13 RAS^O17"""


@pytest.mark.parametrize("kind", USUAL.split())
def test_the_usual_messages_are_known(kind: str) -> None:
    assert compiled().plan(kind) is not None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [", "YAML"),
        ("- a", "YAML"),
        ("settings: {zone: 8}", "settings.zone"),
        ("surprise: {}", "top"),
        ("tables: {sex: [F]}", "tables.sex"),
        ("resources: {Patient: {elements: {gender: PID-8 via sex}}}", "resources.Patient"),
        ("resources: {Patient: {elements: {gender: PID-8 by sexes}}}", "resources.Patient"),
        ("resources: {Patient: {elements: {gender: PID-8 as Sex}}}", "resources.Patient"),
        ("messages: {ADT: {segments: {PID: [Person]}}}", "Person"),
        ("named: {PV1: [PV1-7]}", "named"),
    ],
)
def test_a_mistake_in_a_mapping_file_is_told(text: str, place: str) -> None:
    with pytest.raises(UsageError) as told:
        compiled(text)
    assert place in str(told.value)
