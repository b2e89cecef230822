"""Who lives in the region: ids that check, twins, couples, names in variety."""

from __future__ import annotations

from collections import Counter
from datetime import date

from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.people import make_person, resident_id_check_digit

PLAN = RegionPlan(persons=4_000, seed=5)
PEOPLE = [make_person(PLAN, number) for number in range(PLAN.persons)]


def test_resident_ids_carry_birth_date_sex_and_a_correct_check_character() -> None:
    residents = [person for person in PEOPLE if not person.id_country]
    assert 0.7 < len(residents) / len(PEOPLE) < 0.9
    for person in residents:
        number = person.national_id
        assert len(number) == 18
        assert resident_id_check_digit(number[:17]) == number[17]
        assert number[6:14] == date.fromordinal(person.birth).strftime("%Y%m%d")
        assert int(number[16]) % 2 == (1 if person.sex == "male" else 0)


def test_who_has_no_resident_id_has_a_passport_and_a_latin_name() -> None:
    for person in PEOPLE:
        assert person.name.chinese == (not person.id_country)
        assert person.name.latin_family.isascii() or not person.name.chinese


def test_twins_share_birth_family_home_and_phone_but_neither_given_name_nor_id() -> None:
    pairs = [(a, b) for a, b in zip(PEOPLE[::2], PEOPLE[1::2], strict=True) if a.twin]
    assert len(pairs) > 10
    for one, other in pairs:
        assert other.twin
        assert (one.birth, one.name.family, one.homes) == (other.birth, other.name.family, other.homes)
        assert one.phones[0] == other.phones[0]
        assert one.name.given != other.name.given
        assert one.national_id != other.national_id


def test_ids_are_of_one_person_each() -> None:
    assert max(Counter(person.national_id for person in PEOPLE).values()) == 1


def test_names_are_in_variety_and_frequent_ones_frequent() -> None:
    chinese = [person.name for person in PEOPLE if person.name.chinese]
    families = Counter(name.family for name in chinese)
    assert len(families) > 150
    assert {family for family, _ in families.most_common(6)} >= {"王", "李", "张"}
    assert len({name.family + name.given for name in chinese}) > 0.9 * len(chinese)


def test_some_move_and_some_change_their_phone() -> None:
    assert 0.12 < sum(len(person.homes) > 1 for person in PEOPLE) / len(PEOPLE) < 0.28
    assert 0.08 < sum(len(person.phones) > 1 for person in PEOPLE) / len(PEOPLE) < 0.22
