"""The mapping files of generated tables are valid and speak of every table."""

from __future__ import annotations

import pytest

from xinglin.sources.tabular.load import load_mapping
from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.writers import formats, writer
from xinglin.synthetic.writers.rows import COLUMNS

SITE = RegionPlan(persons=1).sites[2]


@pytest.mark.parametrize("form", ["csv", "database"])
def test_a_mapping_is_valid_and_maps_every_table(form: str) -> None:
    text = writer(form).mapping(SITE)
    assert text is not None
    assert set(load_mapping(text).tables) == set(COLUMNS)
    assert "urn:xinglin:garden-clinic:patient" in text
    assert "%SITE%" not in text


def test_formats_that_say_what_they_are_need_none() -> None:
    assert [form for form in formats() if writer(form).mapping(SITE) is None] == ["fhir", "hl7v2"]
