from __future__ import annotations

from typing import Any

from tests.unit.identity.handmade import Region
from tests.unit.identity.test_link import crowd


def carrying(resource: dict[str, Any], system: str, value: str) -> dict[str, Any]:
    return resource | {"identifier": [{"system": system, "value": value}]}


def systems(region: Region) -> dict[str, str]:
    import duckdb

    files = region.lake.require("identity", "").files("identifier_system")
    return dict(duckdb.read_parquet(files).project("system, verdict").fetchall())


def bare(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "telecom": [], "identifier": []}


def test_a_number_that_agrees_with_names_across_institutions_is_a_person_s(region: Region) -> None:
    people = [bare(one) for one in crowd(60)]
    region.land("a", [carrying(one, "urn:health-card", f"HC{n:06d}") for n, one in enumerate(people)])
    region.land("b", [carrying(one, "urn:health-card", f"HC{n:06d}") for n, one in enumerate(people[:30])])
    region.link()
    assert systems(region)["urn:health-card"] == "person-wide"


def test_a_number_that_agrees_without_names_is_each_institution_s_own(region: Region) -> None:
    people = [bare(one) for one in crowd(120)]
    region.land("a", [carrying(one, "urn:number", f"{n:06d}") for n, one in enumerate(people[:60])])
    region.land("b", [carrying(one, "urn:number", f"{n:06d}") for n, one in enumerate(people[60:])])
    assert region.link().persons == 120
    assert systems(region)["urn:number"] == "local"


def test_a_learned_number_links_a_record_whose_description_changed(region: Region) -> None:
    people = [bare(one) for one in crowd(60)]
    moved = {**people[7], "name": [{"family": "Ong", "given": people[7]["name"][0]["given"]}]}
    region.land("a", [carrying(one, "urn:health-card", f"HC{n:06d}") for n, one in enumerate(people)])
    others = [carrying(one, "urn:health-card", f"HC{n:06d}") for n, one in enumerate(people[:30]) if n != 7]
    region.land("b", [*others, carrying({**moved, "id": "moved"}, "urn:health-card", "HC000007")])
    region.link()
    assert region.together("a/c7", "b/moved")
