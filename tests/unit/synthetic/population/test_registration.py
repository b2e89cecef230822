"""How front desks write persons down: the stated gaps and slips, and what changes over the years."""

from __future__ import annotations

from random import Random

from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.people import make_person
from xinglin.synthetic.population.registration import MISSING_ID, register

PLAN = RegionPlan(persons=5_000, seed=11)
PEOPLE = [make_person(PLAN, number) for number in range(PLAN.persons)]
SITE = PLAN.sites[0]
CARDS = [register(PLAN.seed, person, SITE, PLAN.last_day, Random(person.number)) for person in PEOPLE]


def test_national_ids_are_missing_as_often_as_stated() -> None:
    missing = sum(card.national_id is None for card in CARDS) / len(CARDS)
    assert abs(missing - MISSING_ID) < 0.02


def test_some_ids_are_mistyped() -> None:
    wrong = sum(
        card.national_id is not None and card.national_id != person.national_id
        for card, person in zip(CARDS, PEOPLE, strict=True)
    )
    assert 0.01 < wrong / len(CARDS) < 0.03


def test_the_home_on_the_card_is_that_of_the_day() -> None:
    moved = next(person for person in PEOPLE if len(person.homes) > 1)
    day = moved.homes[1][0]
    before = {register(1, moved, SITE, day - 1, Random(turn)).line for turn in range(40)}
    after = {register(1, moved, SITE, day, Random(turn)).line for turn in range(40)}
    assert moved.homes[0][1].line(moved.name.chinese, terse=False) in before
    assert moved.homes[1][1].line(moved.name.chinese, terse=False) in after
    assert before & after <= {None}


def test_pinyin_goes_with_the_right_id() -> None:
    pinyin = [
        (card, person) for card, person in zip(CARDS, PEOPLE, strict=True) if person.name.chinese and not card.chinese
    ]
    assert 10 < len(pinyin) < 150
    for card, person in pinyin:
        assert (card.family, card.given) == (person.name.latin_family, person.name.latin_given)
        assert card.national_id == person.national_id


def test_most_names_and_birth_dates_are_right() -> None:
    right = sum(
        (card.family, card.given) == (person.name.family, person.name.given)
        for card, person in zip(CARDS, PEOPLE, strict=True)
    )
    assert 0.92 < right / len(CARDS) < 0.99
