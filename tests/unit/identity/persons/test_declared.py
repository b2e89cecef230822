from __future__ import annotations

from typing import Any

import pytest

from tests.unit.identity.handmade import CLOCK, Region, patient
from tests.unit.identity.test_link import WANG, crowd
from xinglin.identity import decide

OWN = "urn:xinglin:patient-number"


def numbered(resource: dict[str, Any], value: str, system: str = "urn:hospital") -> dict[str, Any]:
    number = {"type": {"coding": [{"code": "MR"}]}, "system": system, "value": value}
    return resource | {"identifier": [*resource.get("identifier", []), number]}


def full(local_id: str = "full") -> dict[str, Any]:
    return numbered(patient(local_id, "王", "小红", "1980-05-06", **WANG), "H-1")


def bare(local_id: str = "image", given: str = "小红", birth: str = "1980-05-06") -> dict[str, Any]:
    return numbered(patient(local_id, "王", given, birth, gender="female"), "H-1", OWN)


@pytest.fixture
def crowded(region: Region) -> Region:
    region.land("z", crowd(100))
    return region


@pytest.mark.parametrize("image_first", [True, False])
def test_an_image_s_patient_is_the_one_with_the_number_and_the_first_gives_the_person_its_id(
    crowded: Region, image_first: bool
) -> None:
    for resource in (bare(), full()) if image_first else (full(), bare()):
        crowded.land("a", [resource])
        crowded.link()
    assert crowded.together("a/full", "a/image")
    first = crowded.persons()["a/image" if image_first else "a/full"]
    assert first == crowded.persons()["a/full"]
    crowded.land("b", [patient("b", "王", "小红", "1980-05-06", **WANG)])
    crowded.link()
    assert crowded.together("a/full", "a/image", "b/b")


def test_declared_records_do_not_change_what_the_model_learns(region: Region) -> None:
    people = [numbered(one, one["id"]) for one in crowd(300)]
    region.land("a", people)
    region.land("b", people[:150])
    region.link()
    alone = {name: data for name, data in region.tables().items() if "/pair/" in f"/{name}"}
    persons = len(set(region.persons().values()))
    region.land("a", [numbered(one | {"id": f"image-{one['id']}", "identifier": []}, one["id"], OWN) for one in people])
    region.link(full=True)
    assert {name: data for name, data in region.tables().items() if name in alone} == alone
    assert len(set(region.persons().values())) == persons
    assert len(region.persons()) == 750


def test_a_number_at_another_site_or_of_another_authority_declares_nothing(crowded: Region) -> None:
    crowded.land("a", [full()])
    crowded.land("b", [numbered(patient("1", "李", "娜", "1970-01-01", gender="female"), "H-1")])
    crowded.land("a", [numbered(patient("2", "赵", "敏", "1960-01-01", gender="female"), "H-1", "urn:other")])
    crowded.link()
    assert len({crowded.persons()[name] for name in ("a/full", "b/1", "a/2")}) == 3


def test_records_that_contradict_each_other_are_not_one_by_their_number(crowded: Region) -> None:
    crowded.land("a", [full(), bare("image", "国强", "1950-01-01")])
    crowded.link()
    assert not crowded.together("a/full", "a/image")


def test_a_number_that_many_share_names_nobody(crowded: Region) -> None:
    crowded.land("a", [numbered(patient(f"p{n}", f"Name{n}", f"Given{n}", ""), "ANON", OWN) for n in range(20)])
    crowded.link()
    assert len({crowded.persons()[f"a/p{n}"] for n in range(20)}) == 20


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/full",
        "Patient/full/_history/2",
        "https://a.example/fhir/Patient/full",
        "http://a/Patient/full/_history/1",
    ],
)
def test_a_merged_record_goes_where_the_surviving_one_goes(crowded: Region, reference: str) -> None:
    retired = patient("old", "Unknown", "", "") | {
        "active": False,
        "link": [{"type": "refer", "other": {"reference": "Patient/b"}},
                 {"type": "replaced-by", "other": {"reference": reference}}],
    }  # fmt: skip
    crowded.land("a", [full(), retired])
    crowded.land("b", [patient("b", "王", "小红", "1980-05-06", **WANG)])
    crowded.link()
    assert crowded.together("a/full", "a/old", "b/b")


def test_the_surviving_record_may_say_which_one_it_replaces(crowded: Region) -> None:
    link = [{"type": "replaces", "other": {"reference": "Patient/old"}}]
    crowded.land("a", [full() | {"link": link}, patient("old", "Unknown", "", "")])
    crowded.link()
    assert crowded.together("a/full", "a/old")


def test_a_split_of_declared_records_holds_and_the_freed_one_is_compared_again(crowded: Region) -> None:
    crowded.land("a", [full(), bare()])
    crowded.land("b", [patient("b", "王", "小红", "1980-05-06", **WANG)])
    crowded.link()
    assert crowded.together("a/full", "a/image", "b/b")
    decide(crowded.lake, "split", "a/full", "a/image", who="Dr Lin", why="number used twice", clock=CLOCK)
    crowded.link()
    assert not crowded.together("a/full", "a/image")
    before = crowded.persons()
    crowded.link(full=True)
    assert crowded.persons() == before


def test_a_decision_about_a_declared_record_counts_for_the_one_that_stands_for_it(crowded: Region) -> None:
    crowded.land("a", [full(), bare()])
    crowded.land("b", [patient("b", "孙", "大海", "1940-02-02", gender="male")])
    crowded.link()
    assert not crowded.together("a/image", "b/b")
    decide(crowded.lake, "merge", "a/image", "b/b", who="Dr Lin", why="asked", clock=CLOCK)
    crowded.link()
    assert crowded.together("a/full", "a/image", "b/b")
