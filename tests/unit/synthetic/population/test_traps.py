from __future__ import annotations

from collections import defaultdict

from xinglin.synthetic import RegionPlan
from xinglin.synthetic.population.traps import KINDS, Trapped, traps


def groups(kind: str, count: int = 40) -> list[Trapped]:
    return [record for record in traps(RegionPlan(persons=10, traps=count)) if record.kind == kind]


def test_every_kind_is_planted_and_numbers_follow_those_of_the_region() -> None:
    records = list(traps(RegionPlan(persons=10, traps=5)))
    assert {record.kind for record in records} == set(KINDS)
    assert min(record.person for record in records) == 10


def test_more_traps_leave_the_first_as_they_are() -> None:
    few, many = ([record.registration.birth for record in groups("father-and-son", count)][:4] for count in (1, 40))
    assert few == many


def test_father_and_son_share_name_home_and_phone_and_are_born_decades_apart() -> None:
    people: dict[int, Trapped] = {record.person: record for record in groups("father-and-son")}
    numbers = sorted(people)
    for father, son in zip(numbers[::2], numbers[1::2], strict=True):
        one, other = people[father].registration, people[son].registration
        assert (one.given, one.phone) == (other.given, other.phone)
        assert other.family.removesuffix(" Jr") == one.family
        assert one.birth and other.birth and int(other.birth[:4]) - int(one.birth[:4]) >= 20


def test_alike_twins_have_two_names_of_one_length_or_nearly_and_one_birth_date() -> None:
    births: dict[str | None, set[str]] = defaultdict(set)
    for record in groups("alike-twins"):
        births[record.registration.phone].add(record.registration.given)
    assert all(len(names) == 2 for names in births.values())
