from __future__ import annotations

import json
from pathlib import Path

import xinglin.fhirpath.elements
from xinglin.fhirpath.elements import element_of, has_type, is_primitive

TABLE = json.loads((Path(xinglin.fhirpath.elements.__file__).parent / "r4.json").read_text())


def test_every_type_that_an_element_names_is_known():
    named = {
        one
        for line in TABLE.values()
        for word in line.removeprefix("!").split()
        for one in word.split(":", 1)[1].removesuffix("*").split(",")
    }
    assert {one for one in named if not has_type(one)} == set()
    assert sum(line.startswith("!") for line in TABLE.values()) == 146


def test_cardinalities_agree_with_what_the_landing_checks():
    from xinglin.sources.fhir.shapes import DATATYPES, RESOURCES

    def many(line):
        return {word.split(":")[0]: word.endswith("*") for word in line.split()[1:]}

    differing = []
    for block in (DATATYPES, RESOURCES):
        for line in block.replace("\\\n", "").strip().splitlines():
            structure = line.split()[0]
            for name, listed in many(line).items() if structure in TABLE else ():
                element = element_of(structure, name)
                if element is not None and element.many != listed:
                    differing.append((structure, name))
    assert differing == []


def test_primitives_have_no_elements_and_structures_have():
    assert is_primitive("code")
    assert element_of("code", "id") is None
    assert element_of("HumanName", "extension").many
    assert element_of("Patient.contact", "modifierExtension").many
