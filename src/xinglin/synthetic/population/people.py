"""Persons of the region: birth, sex, name, ids, addresses and phones; couples and twins share some of them."""

from __future__ import annotations

from bisect import bisect
from datetime import date
from functools import lru_cache
from operator import mul
from random import Random
from typing import NamedTuple

from xinglin.synthetic.plan import RegionPlan
from xinglin.synthetic.population.names import Name, chinese_name, given_name, latin_name
from xinglin.synthetic.population.places import Address, draw_address, draw_phone
from xinglin.synthetic.streams import below, stream

__all__ = ["Person", "make_person", "resident_id", "resident_id_check_digit"]

_AGE_CUMULATED = (0.10, 0.16, 0.22, 0.34, 0.48, 0.62, 0.77, 0.89, 0.97, 1.0)
_AGE_FROM = (-8, 6, 12, 18, 27, 37, 47, 57, 67, 80)
_AGE_TO = (6, 12, 18, 27, 37, 47, 57, 67, 80, 96)
_PROVINCES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46,
              50, 51, 52, 53, 54, 61, 62, 63, 64, 65)  # fmt: skip
_COUNTRIES = ("USA", "GBR", "DEU", "FRA", "ITA", "ESP", "AUS", "CAN", "BRA", "RUS", "NLD", "SWE")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Person(NamedTuple):
    """The true data of one person; each institution records some of it.

    Args:
        number: Number in the region, from 0.
        sex: male or female.
        birth: Day of birth (proleptic Gregorian ordinal).
        name: Name.
        national_id: Resident identity number, or passport number.
        id_country: Empty for a resident identity number, else the passport's country.
        phones: Phone numbers, each with its first day.
        homes: Addresses, each with its first day.
        twin: Whether the region has a twin of this person.
    """

    number: int
    sex: str
    birth: int
    name: Name
    national_id: str
    id_country: str
    phones: tuple[tuple[int, str], ...]
    homes: tuple[tuple[int, Address], ...]
    twin: bool


class _Household(NamedTuple):
    twins: bool
    shares_phone: bool
    shares_home: bool
    chinese: bool
    births: tuple[int, int]
    sexes: tuple[str, str]
    area: int
    names: tuple[Name, Name]
    homes: tuple[tuple[int, Address], ...]
    phone: str


def resident_id_check_digit(first_seventeen: str) -> str:
    """The last character of a resident identity number (GB 11643-1999, ISO 7064 MOD 11-2).

    Example:
        >>> resident_id_check_digit("11010519491231002")
        'X'
    """
    total = sum(map(mul, map(int, first_seventeen), _WEIGHTS))
    return "10X98765432"[total % 11]


def resident_id(area: int, birth: int, sex: str, turn: int) -> str:
    """A resident identity number: area, day of birth, a serial that is odd for men, the check character.

    Example:
        >>> resident_id(110105, date(1949, 12, 31).toordinal(), "female", 1)
        '11010519491231002X'
    """
    serial = turn * 2 % 1000 + (1 if sex == "male" else 0)
    day = date.fromordinal(birth)
    body = f"{area:06d}{day.year:04d}{day.month:02d}{day.day:02d}{serial:03d}"
    return body + resident_id_check_digit(body)


def _birth(plan: RegionPlan, rng: Random) -> int:
    band = bisect(_AGE_CUMULATED, rng.random(), 0, len(_AGE_CUMULATED) - 1)
    age = _AGE_FROM[band] + rng.random() * (_AGE_TO[band] - _AGE_FROM[band])
    return min(plan.first_day - int(age * 365.25), plan.last_day - 90)


def _homes(plan: RegionPlan, rng: Random) -> tuple[tuple[int, Address], ...]:
    """Draw the addresses of a person; one in five moves within the recorded years."""
    home = draw_address(rng)
    if rng.random() >= 0.2:
        return ((0, home),)
    return ((0, home), (plan.first_day + below(rng, plan.last_day - plan.first_day), draw_address(rng)))


@lru_cache(maxsize=2)
def _household(plan: RegionPlan, pair: int) -> _Household:
    """What the persons 2·pair and 2·pair + 1 share: nothing, an address, or also the day of birth."""
    rng = stream(plan.seed, pair, "household")
    kind = rng.random()
    twins, couple = kind < 0.015, 0.015 <= kind < 0.40
    chinese = rng.random() < 0.82
    first_birth = _birth(plan, rng)
    first_sex = "male" if rng.random() < 0.5 else "female"
    if twins:
        second_birth, second_sex = first_birth, first_sex if rng.random() < 0.65 else "male"
    elif couple:
        second_birth = min(first_birth - 2000 + below(rng, 4000), plan.last_day - 90)
        second_sex = "female" if first_sex == "male" else "male"
    else:
        second_birth, second_sex = _birth(plan, rng), "male" if rng.random() < 0.5 else "female"
    draw = chinese_name if chinese else latin_name
    first = draw(first_sex, rng)
    second = draw(second_sex, rng, (first.family, first.latin_family) if twins else None)
    while twins and second.given == first.given:
        given, latin = given_name(second_sex, chinese, rng)
        second = second._replace(given=given, latin_given=latin)
    area = 330_000 if rng.random() < 0.4 else 10_000 * _PROVINCES[below(rng, len(_PROVINCES))]
    area += 100 * (1 + below(rng, 12)) + 1 + below(rng, 18)
    return _Household(
        twins, twins or (couple and rng.random() < 0.25), twins or couple, chinese, (first_birth, second_birth),
        (first_sex, second_sex), area, (first, second), _homes(plan, rng), draw_phone(rng),
    )  # fmt: skip


def _phones(plan: RegionPlan, household: _Household, rng: Random) -> tuple[tuple[int, str], ...]:
    phone = household.phone if household.shares_phone else draw_phone(rng)
    if rng.random() >= 0.15:
        return ((0, phone),)
    return ((0, phone), (plan.first_day + below(rng, plan.last_day - plan.first_day), draw_phone(rng)))


def _identifier(household: _Household, which: int, rng: Random) -> tuple[str, str]:
    """The identity or passport number, and the passport's country."""
    if not household.chinese:
        letters = "".join("ABCDEFGHJKLMNPRSTUVWXYZ"[below(rng, 23)] for _ in range(2))
        return f"{letters}{below(rng, 10_000_000):07d}", _COUNTRIES[below(rng, len(_COUNTRIES))]
    if household.twins:
        turn = household.births[0] % 490 + which
        return resident_id(household.area, household.births[which], household.sexes[which], turn), ""
    area = household.area // 10_000 * 10_000 + 100 * (1 + below(rng, 12)) + 1 + below(rng, 18)
    return resident_id(area, household.births[which], household.sexes[which], below(rng, 500)), ""


def make_person(plan: RegionPlan, number: int) -> Person:
    """Generate the person with this number; persons 2k and 2k + 1 may be a couple or twins.

    Example:
        >>> plan = RegionPlan(persons=10)
        >>> make_person(plan, 3) == make_person(RegionPlan(persons=1000), 3)
        True
    """
    pair, which = divmod(number, 2)
    household = _household(plan, pair)
    rng = stream(plan.seed, number, "person")
    national_id, country = _identifier(household, which, rng)
    homes = household.homes if household.shares_home else _homes(plan, rng)
    return Person(
        number, household.sexes[which], household.births[which], household.names[which], national_id, country,
        _phones(plan, household, rng), homes, household.twins and (number ^ 1) < plan.persons,
    )  # fmt: skip
