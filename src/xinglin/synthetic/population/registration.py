"""Registration of a person at an institution: with errors, gaps, and the data valid on that day."""

from __future__ import annotations

from datetime import date
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.names import Name, misspell_chinese, misspell_latin
from xinglin.synthetic.population.people import Person
from xinglin.synthetic.population.places import CITY, mistype_digits
from xinglin.synthetic.streams import below, digest

__all__ = ["Registration", "register"]

_T = TypeVar("_T")

MISSING_ID, MISTYPED_ID = 0.15, 0.02
MISSING_PHONE, MISTYPED_PHONE = 0.08, 0.01
MISSING_HOME, MISTYPED_HOME = 0.10, 0.03
PINYIN, SWAPPED_NAME, MISSPELT_LATIN, MISSPELT_CHINESE = 0.012, 0.01, 0.04, 0.015
MISSING_BIRTH, SWAPPED_BIRTH, MISTYPED_BIRTH = 0.004, 0.006, 0.004
MISSING_SEX, WRONG_SEX = 0.005, 0.003


class Registration(NamedTuple):
    """One institution's record of a person; None for an empty field.

    Args:
        token: 32 hex digits from which the record's ids are derived.
        number: The institution's own patient number.
        family: Family name as written.
        given: Given name as written.
        chinese: Whether name and address are in characters.
        sex: male or female.
        birth: Date of birth, ISO 8601.
        national_id: Identity or passport number.
        id_country: Empty for a resident identity number, else the passport's country.
        phone: Phone number.
        line: Street line.
        district: District.
        city: City.
        postal_code: Postal code.
        day: Day of registration.
        died: Minute of death, if the institution knows it.
    """

    token: str
    number: str
    family: str
    given: str
    chinese: bool
    sex: str | None
    birth: str | None
    national_id: str | None
    id_country: str
    phone: str | None
    line: str | None
    district: str | None
    city: str | None
    postal_code: str | None
    day: int
    died: int | None = None

    @property
    def local_id(self) -> str:
        """The id of the record at its institution; the local id in the truth tables."""
        return self.entry_id(0)

    def entry_id(self, number: int) -> str:
        """The id of a chart entry, the same in every format."""
        token = self.token
        last = (int(token[20:], 16) + number) & 0xFFFFFFFFFFFF
        return f"{token[:8]}-{token[8:12]}-5{token[13:16]}-a{token[17:20]}-{last:012x}"

    @property
    def shown_name(self) -> str:
        """The full name: family name first in characters, last in Latin letters."""
        return self.family + self.given if self.chinese else f"{self.given} {self.family}"

    @property
    def updated(self) -> int:
        """The minute of the last change of the record."""
        return self.day * 1440 + 480 if self.died is None else self.died


def _at(day: int, dated: tuple[tuple[int, _T], ...]) -> _T:
    """The value valid on a day."""
    value = dated[0][1]
    for since, later in dated[1:]:
        if day >= since:
            value = later
    return value


def _name(name: Name, rng: Random) -> tuple[str, str, bool, bool]:
    """Family name, given name, whether in characters, and whether the identity card was surely shown."""
    slip = rng.random()
    if name.chinese:
        if slip < PINYIN:
            return name.latin_family, name.latin_given, False, True
        given = misspell_chinese(name.given, rng) if slip < PINYIN + MISSPELT_CHINESE else name.given
        swapped = PINYIN + MISSPELT_CHINESE <= slip < PINYIN + MISSPELT_CHINESE + SWAPPED_NAME
        return (given, name.family, True, False) if swapped else (name.family, given, True, False)
    family, given = name.family, name.given
    if slip < SWAPPED_NAME:
        family, given = given, family
    elif slip < SWAPPED_NAME + MISSPELT_LATIN / 2:
        family = misspell_latin(family, rng)
    elif slip < SWAPPED_NAME + MISSPELT_LATIN:
        given = misspell_latin(given, rng)
    return family, given, False, False


def _birth(birth: int, rng: Random) -> str | None:
    day = date.fromordinal(birth)
    slip = rng.random()
    if slip < MISSING_BIRTH:
        return None
    if slip < MISSING_BIRTH + SWAPPED_BIRTH and day.day <= 12:
        return f"{day.year:04d}-{day.day:02d}-{day.month:02d}"
    if slip < MISSING_BIRTH + SWAPPED_BIRTH + MISTYPED_BIRTH:
        return f"{day.year:04d}-{day.month:02d}-{1 + (day.day + 1 + below(rng, 26)) % 28:02d}"
    return day.isoformat()


def _number(text: str, missing: float, mistyped: float, rng: Random) -> str | None:
    chance = rng.random()
    if chance < missing:
        return None
    return mistype_digits(text, rng) if chance < missing + mistyped else text


def _sex(sex: str, rng: Random) -> str | None:
    chance = rng.random()
    if chance < MISSING_SEX:
        return None
    if chance < MISSING_SEX + WRONG_SEX:
        return "male" if sex == "female" else "female"
    return sex


@cache
def _number_key(seed: int, site: str) -> int:
    return int(digest(seed, site, "patient numbers")[:15], 16)


def _patient_number(seed: int, site: Site, person: int) -> str:
    """The institution's own patient number: unique, and it does not reveal the order of registration.

    Multiplication by a number coprime to the modulus is a permutation.
    """
    key = _number_key(seed, site.name)
    return f"{site.index + 1:02d}{(person * (key % 10**8 * 10 + 7) + key) % 10**9:09d}"


def register(seed: int, person: Person, site: Site, day: int, rng: Random) -> Registration:
    """The registration of a person at a site on a day."""
    token = digest(seed, site.name, person.number)
    family, given, chinese, card = _name(person.name, rng)
    home = _at(day, person.homes)
    line: str | None = None
    district = city = postal_code = None
    if rng.random() >= MISSING_HOME:
        characters = person.name.chinese
        line = home.line(characters, terse=rng.random() < 0.15)
        if rng.random() < MISTYPED_HOME:
            line = mistype_digits(line, rng)
        district, city = home.district_name(characters), CITY[0 if characters else 1]
        postal_code = home.postal_code
    national_id = _number(person.national_id, MISSING_ID, MISTYPED_ID, rng)
    return Registration(
        token, _patient_number(seed, site, person.number), family, given, chinese,
        _sex(person.sex, rng), _birth(person.birth, rng), person.national_id if card else national_id,
        person.id_country, _number(_at(day, person.phones), MISSING_PHONE, MISTYPED_PHONE, rng),
        line, district, city, postal_code, day,
    )  # fmt: skip
