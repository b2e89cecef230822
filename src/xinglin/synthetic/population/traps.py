"""Traps for record linkage: people who look alike and are not one person, with the truth beside them.

Each group is drawn from its own random stream, so the persons of the region do not depend on the number of traps.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from xinglin.synthetic.plan import RegionPlan, Site
from xinglin.synthetic.population.names import Name, chinese_name, given_name, latin_name
from xinglin.synthetic.population.people import resident_id
from xinglin.synthetic.population.places import CITY, Address, draw_address, draw_phone
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.streams import below, digest, stream

__all__ = ["KINDS", "Trapped", "traps"]

KINDS = (
    "father-and-son", "alike-twins", "newborn-twins", "unidentified", "namesakes", "default-number", "fathers-number",
)  # fmt: skip
_ALIKE = (("Marie", "Maria"), ("Anna", "Anne"), ("Karin", "Karen"), ("Julia", "Julie"), ("Joan", "Jean"))
_NAMELESS = ("Doe", "John"), ("Unknown", "Unknown"), ("无名氏", "不详")
_NUMBER_SHARE = 0.7


class Trapped(NamedTuple):
    """One record of a trap.

    Args:
        person: The person's number; numbers follow those of the region.
        kind: One of `KINDS`.
        site: Where the record is.
        registration: The record.
    """

    person: int
    kind: str
    site: Site
    registration: Registration


class _Facts(NamedTuple):
    family: str
    given: str
    sex: str
    birth: date | None
    home: Address | None
    phone: str | None
    national_id: str | None = None
    number: str = ""


def traps(plan: RegionPlan) -> Iterator[Trapped]:
    """The records of all traps: `RegionPlan.traps` groups of each kind.

    Example:
        >>> {record.kind for record in traps(RegionPlan(persons=1, traps=1))} == set(KINDS)
        True
    """
    person = plan.persons
    for kind in KINDS:
        for group in range(plan.traps):
            rng = stream(plan.seed, group, f"trap {kind}")
            for facts in _PEOPLE[kind](rng):
                for site in _sites(plan, kind, rng):
                    yield Trapped(person, kind, site, _registration(plan, person, site, facts))
                person += 1


def _sites(plan: RegionPlan, kind: str, rng: Random) -> list[Site]:
    """One institution for those who come once or share a desk, two for the others."""
    sites = list(plan.sites)
    if kind in ("unidentified", "default-number", "newborn-twins"):
        return sites[:1]
    first = below(rng, len(sites))
    return [sites[first], sites[(first + 1) % len(sites)]] if len(sites) > 1 else sites


def _registration(plan: RegionPlan, person: int, site: Site, facts: _Facts) -> Registration:
    chinese = not facts.family.isascii()
    home = facts.home
    return Registration(
        token=digest(plan.seed, site.name, person, "trap"),
        number=facts.number or f"T{site.index + 1:02d}{person:09d}",
        family=facts.family, given=facts.given, chinese=chinese, sex=facts.sex,
        birth=facts.birth.isoformat() if facts.birth else None, national_id=facts.national_id, id_country="",
        phone=facts.phone, line=home.line(chinese, terse=False) if home else None,
        district=home.district_name(chinese) if home else None, city=CITY[0 if chinese else 1] if home else None,
        postal_code=home.postal_code if home else None, day=plan.last_day - 40,
    )  # fmt: skip


def _born(rng: Random, first: int, last: int) -> date:
    return date(first, 1, 1) + timedelta(days=below(rng, (last - first) * 365))


def _id(rng: Random, birth: date, sex: str) -> str | None:
    if rng.random() >= _NUMBER_SHARE:
        return None
    return resident_id(330_101 + below(rng, 12), birth.toordinal(), sex, below(rng, 490))


def _name(rng: Random, sex: str) -> Name:
    return (chinese_name if rng.random() < 0.6 else latin_name)(sex, rng)


def _father_and_son(rng: Random) -> list[_Facts]:
    name, home, phone = latin_name("male", rng), draw_address(rng), draw_phone(rng)
    born = _born(rng, 1940, 1970)
    son = date(born.year + 22 + below(rng, 15), 1 + below(rng, 12), 1 + below(rng, 28))
    suffix = " Jr" if rng.random() < 0.5 else ""
    return [
        _Facts(name.family + more, name.given, "male", birth, home, phone, _id(rng, birth, "male"))
        for birth, more in ((born, ""), (son, suffix))
    ]


def _alike_twins(rng: Random) -> list[_Facts]:
    born, home, phone = _born(rng, 1960, 2015), draw_address(rng), draw_phone(rng)
    if rng.random() < 0.5:
        family, names = latin_name("female", rng).family, _ALIKE[below(rng, len(_ALIKE))]
    else:
        shared = chinese_name("female", rng)
        family, first = shared.family, given_name("female", True, rng)[0]
        other = next(
            name for name in (given_name("female", True, rng)[0] for _ in range(1_000))
            if len(name) == len(first) and name != first and name[0] != first[0]
        )  # fmt: skip
        names = (first, first[:-1] + other[-1] if other[-1] != first[-1] else other[0] + first[1:])
    return [_Facts(family, given, "female", born, home, phone, _id(rng, born, "female")) for given in names]


def _newborn_twins(rng: Random) -> list[_Facts]:
    mother, home, phone = _name(rng, "female"), draw_address(rng), draw_phone(rng)
    grown, born = _born(rng, 1985, 2002), _born(rng, 2020, 2025)
    sexes = ("male", "female") if rng.random() < 0.5 else ("female", "female")
    children = []
    for sex in sexes:
        if mother.chinese:
            given = f"{mother.given}之{'子' if sex == 'male' else '女'}"
        else:
            given = f"Baby of {mother.given}"
        children.append(_Facts(mother.family, given, sex, born, home, phone))
    return [_Facts(mother.family, mother.given, "female", grown, home, phone, _id(rng, grown, "female")), *children]


def _unidentified(rng: Random) -> list[_Facts]:
    family, given = _NAMELESS[below(rng, len(_NAMELESS))]
    return [_Facts(family, given, "male", date(1900, 1, 1), None, None)]


def _namesakes(rng: Random) -> list[_Facts]:
    sex = "male" if rng.random() < 0.5 else "female"
    name = _name(rng, sex)
    people = []
    for _ in range(2):
        born = _born(rng, 1940, 2010)
        people.append(
            _Facts(name.family, name.given, sex, born, draw_address(rng), draw_phone(rng), _id(rng, born, sex))
        )
    return people


def _default_number(rng: Random) -> list[_Facts]:
    name = _name(rng, "female")
    return [_Facts(name.family, name.given, "female", None, None, None, number="0000000000")]


def _fathers_number(rng: Random) -> list[_Facts]:
    father, home, phone = chinese_name("male", rng), draw_address(rng), draw_phone(rng)
    born, child = _born(rng, 1975, 1990), _born(rng, 2010, 2020)
    number = resident_id(330_101 + below(rng, 12), born.toordinal(), "male", below(rng, 490))
    given = given_name("male", True, rng)[0]
    while given == father.given:
        given = given_name("male", True, rng)[0]
    return [
        _Facts(father.family, father.given, "male", born, home, phone, number),
        _Facts(father.family, given, "male", child, home, phone, number),
    ]


_PEOPLE = dict(
    zip(
        KINDS,
        (
            _father_and_son, _alike_twins, _newborn_twins, _unidentified, _namesakes, _default_number, _fathers_number,
        ),
        strict=True,
    )
)  # fmt: skip
