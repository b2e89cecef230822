"""Two persons taken for one: what looks alike and is not one person, by kind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.identity.handmade import Region, patient, resident_id
from tests.unit.identity.persons.test_declared import numbered
from tests.unit.identity.test_link import crowd
from xinglin.identity import waiting_pairs

HOME = {"phone": "02155501234", "line": "12 Mill Lane", "city": "Ulm", "postal": "89073"}


def linked(region: Region, hospital: list[dict[str, Any]], clinic: list[dict[str, Any]], others: int = 40) -> Region:
    region.land("a", [*crowd(others), *hospital])
    if clinic:
        region.land("b", clinic)
    region.link()
    return region


def suffixed(resource: dict[str, Any], suffix: str) -> dict[str, Any]:
    return resource | {"name": [{**resource["name"][0], "suffix": [suffix]}]}


@pytest.mark.parametrize("others", [20, 300])
def test_father_and_son_of_one_name_are_two_and_nobody_is_asked(region: Region, others: int) -> None:
    father = patient("1", "Harrow", "Thomas", "1951-03-14", gender="male", **HOME)
    son = patient("2", "Harrow", "Thomas", "1983-11-02", gender="male", **HOME)
    linked(region, [father], [son], others)
    assert not region.together("a/1", "b/2")
    assert waiting_pairs(region.lake)[1] == []


@pytest.mark.parametrize(("one", "other"), [("Sr", "Jr"), ("Jr.", "III"), ("II", "Senior")])
def test_suffixes_of_two_generations_keep_records_apart_without_birth_dates(
    region: Region, one: str, other: str
) -> None:
    senior, junior = (patient(name, "Harrow", "Thomas", "", gender="male", **HOME) for name in ("1", "2"))
    linked(region, [suffixed(senior, one)], [suffixed(junior, other)])
    assert not region.together("a/1", "b/2")


def test_a_suffix_written_into_the_family_name_is_one(region: Region) -> None:
    linked(
        region,
        [patient("1", "Harrow Sr", "Thomas", "", gender="male", **HOME)],
        [patient("2", "Harrow, Jr.", "Thomas", "", gender="male", **HOME)],
    )
    assert not region.together("a/1", "b/2")


@pytest.mark.parametrize(("one", "other"), [("Marie", "Maria"), ("Anna", "Anne"), ("Jan", "Jana"), ("Karin", "Karen")])
def test_twins_whose_names_differ_by_one_letter_wait_for_a_person(region: Region, one: str, other: str) -> None:
    twins = [
        patient(id_, "Iversen", name, "2001-05-05", gender="female", **HOME) for id_, name in (("1", one), ("2", other))
    ]
    linked(region, twins[:1], twins[1:])
    assert not region.together("a/1", "b/2")
    assert len(waiting_pairs(region.lake)[1]) == 1


def test_boy_and_girl_of_one_mother_and_the_mother_are_three(region: Region) -> None:
    people = [
        patient("mother", "Kovac", "Petra", "1995-01-01", gender="female", **HOME),
        patient("girl", "Kovac", "Baby of Petra", "2024-02-02", gender="female", **HOME),
        patient("boy", "Kovac", "Baby of Petra", "2024-02-02", gender="male", **HOME),
    ]
    linked(region, [numbered(one, f"550{at}") for at, one in enumerate(people)], [])
    assert len({region.persons()[f"a/{name}"] for name in ("mother", "girl", "boy")}) == 3


@pytest.mark.parametrize("name", ["Baby Girl", "BG", "张敏之女", "Twin A"])
def test_two_girls_born_together_without_names_are_two(region: Region, name: str) -> None:
    girls = [patient(id_, "Kovac", name, "2024-02-02", gender="female", **HOME) for id_ in ("1", "2")]
    linked(region, [numbered(girl, f"77{at}0") for at, girl in enumerate(girls)], [])
    assert not region.together("a/1", "a/2")


def test_children_of_one_birth_are_told_apart_by_their_order(region: Region) -> None:
    first, second = (
        patient(id_, "Kovac", "Mia", "2024-02-02", gender="female", **HOME) | {"multipleBirthInteger": order}
        for id_, order in (("1", 1), ("2", 2))
    )
    linked(region, [first], [second])
    assert not region.together("a/1", "b/2")


def test_a_child_under_the_father_s_number_is_not_the_father(region: Region) -> None:
    number = resident_id("51010119800303123")
    linked(
        region,
        [patient("1", "罗", "建国", "1980-03-03", gender="male", national_id=number, **HOME)],
        [patient("2", "罗", "子轩", "2015-08-08", gender="male", national_id=number, **HOME)],
    )
    assert not region.together("a/1", "b/2")


def test_two_women_of_one_name_with_two_record_numbers_of_one_institution_wait(region: Region) -> None:
    women = [patient(id_, "Iversen", "Greta", "1961-05-05", gender="female", **HOME) for id_ in ("1", "2")]
    linked(region, [numbered(woman, f"90{at}1") for at, woman in enumerate(women)], [])
    assert not region.together("a/1", "a/2")
    assert len(waiting_pairs(region.lake)[1]) == 1


@pytest.mark.parametrize("birth", ["1900-01-01", "1901-01-01", "0001-01-01", "1850-06-06"])
def test_a_birth_date_that_stands_for_unknown_is_no_agreement(region: Region, birth: str) -> None:
    linked(
        region,
        [patient("1", "Iversen", "Greta", birth, gender="female", phone="02155501234", line="1 A Road", city="Ulm")],
        [patient("2", "Iversen", "Greta", birth, gender="female", phone="04055509999", line="7 B Way", city="Kiel")],
    )
    assert not region.together("a/1", "b/2")


@pytest.mark.parametrize(
    ("family", "given", "birth"),
    [("Doe", "John", "1900-01-01"), ("Unknown", "Unknown", ""), ("无名氏", "", "1970-01-01"), ("Alpha", "Trauma", "")],
)
def test_unidentified_patients_are_never_linked_by_description(
    region: Region, family: str, given: str, birth: str
) -> None:
    linked(region, [patient(f"u{n}", family, given, birth, gender="male") for n in range(20)], [])
    assert len({region.persons()[f"a/u{n}"] for n in range(20)}) == 20
    assert waiting_pairs(region.lake)[1] == []


def test_a_birth_date_that_one_institution_gives_to_many_is_learned_as_unknown(region: Region) -> None:
    names = ["Ada", "Bea", "Cleo", "Dora", "Ella", "Fay", "Gina", "Hope"]
    many = [patient(f"d{n}", f"Marsh{n}", name, "1985-05-05", gender="female") for n, name in enumerate(names)]
    greta = [
        patient(id_, "Iversen", "Greta", "1985-05-05", gender="female", phone=phone, line=line, city=city)
        for id_, phone, line, city in (
            ("1", "02155501234", "1 A Road", "Ulm"),
            ("2", "04055509999", "7 B Way", "Kiel"),
        )
    ]
    linked(region, [*many, greta[0]], [])
    region.land("a", [greta[1]])
    region.link()
    assert not region.together("a/1", "a/2")


@pytest.mark.parametrize("number", ["0000000000", "9999999999", "UNKNOWN", "1234567890", "4711"])
def test_a_default_number_of_a_few_makes_nobody_one(region: Region, number: str) -> None:
    names = [("Abbot", "Alma"), ("Baines", "Bert"), ("Carver", "Cora"), ("Dunmore", "Dirk")]
    linked(region, [numbered(patient(f"w{n}", *name, ""), number) for n, name in enumerate(names)], [])
    assert len({region.persons()[f"a/w{n}"] for n in range(4)}) == 4


def test_a_region_that_grew_in_small_deliveries_has_the_persons_of_one_delivery(tmp_path: Any) -> None:
    people = [
        {**one, "identifier": [], "telecom": []}
        | {"birthDate": f"19{50 + n % 40}-{1 + n * 7 % 12:02d}-{1 + n * 5 % 28:02d}"}
        for n, one in enumerate(crowd(150))
    ]
    grown, whole = Region(tmp_path / "grown"), Region(tmp_path / "whole")
    for start, end in ((0, 2), (2, 5), (5, 60), (60, 100), (100, 150)):
        grown.land("a", people[start:end])
        grown.link()
    whole.land("a", people)
    whole.link()
    assert len(set(grown.persons().values())) == len(set(whole.persons().values()))


def test_clean_copies_and_a_few_unknown_persons_do_not_stop_the_run(region: Region) -> None:
    people = crowd(100)
    region.land("a", people)
    region.land("b", people)
    region.land(
        "er", [{"resourceType": "Patient", "id": f"u{n}", "name": [{"text": "Unknown Unknown"}]} for n in range(10)]
    )
    assert region.link().persons == 110
