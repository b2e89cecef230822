"""Names: Chinese family and given names by frequency, Latin names, and misspellings."""

from __future__ import annotations

import csv
from bisect import bisect
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import NamedTuple

from xinglin.synthetic.streams import below

__all__ = ["Name", "chinese_name", "given_name", "latin_name", "misspell_chinese", "misspell_latin"]


class Name(NamedTuple):
    """A name in the person's script, and in Latin letters.

    Args:
        family: Family name.
        given: Given name.
        latin_family: Family name in Latin letters (pinyin of a Chinese one).
        latin_given: Given name in Latin letters.
        chinese: Whether the name is in Chinese characters.
    """

    family: str
    given: str
    latin_family: str
    latin_given: str
    chinese: bool


class _Pool(NamedTuple):
    entries: tuple[tuple[str, str], ...]
    cumulated: tuple[float, ...]

    def draw(self, rng: Random) -> tuple[str, str]:
        return self.entries[bisect(self.cumulated, rng.random() * self.cumulated[-1], 0, len(self.entries) - 1)]


def _rows(name: str) -> list[list[str]]:
    text = (files(__package__) / "data" / name).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


def _ranked(entries: list[tuple[str, str]], offset: float, exponent: float) -> _Pool:
    """A pool of names with frequencies by the Zipf-Mandelbrot law."""
    weights = accumulate((rank + offset) ** -exponent for rank in range(len(entries)))
    return _Pool(tuple(entries), tuple(weights))


@cache
def _family_names() -> _Pool:
    return _ranked([(row[0], row[1]) for row in _rows("family_names.csv")], offset=5.0, exponent=1.45)


@cache
def _given_characters(sex: str) -> _Pool:
    fitting = [(row[0], row[1]) for row in _rows("given_characters.csv") if row[2] in (sex, "both")]
    return _ranked(fitting, offset=60.0, exponent=1.0)


@cache
def _latin(part: str, sex: str) -> _Pool:
    fitting = [(row[0], row[0]) for row in _rows("latin_names.csv") if row[1] == part and row[2] in (sex, "both")]
    return _ranked(fitting, offset=80.0, exponent=1.0)


@cache
def _homophones() -> dict[str, tuple[str, ...]]:
    """Characters of given names by pinyin without tone."""
    by_sound: dict[str, list[str]] = {}
    for character, sound, _ in _rows("given_characters.csv"):
        by_sound.setdefault(sound, []).append(character)
    return {c: tuple(o for o in group if o != c) for group in by_sound.values() for c in group}


def given_name(sex: str, chinese: bool, rng: Random) -> tuple[str, str]:
    """A given name and its Latin spelling; one Chinese name in six has a single character."""
    if not chinese:
        return _latin("given", sex).draw(rng)
    pool = _given_characters(sex)
    first, sound = pool.draw(rng)
    if rng.random() < 0.16:
        return first, sound.capitalize()
    second, more = pool.draw(rng)
    return first + second, (sound + more).capitalize()


def chinese_name(sex: str, rng: Random, family: tuple[str, str] | None = None) -> Name:
    """Draw a Chinese name; pass the family name for relatives.

    Example:
        >>> chinese_name("female", Random(1)).chinese
        True
    """
    characters, sound = family or _family_names().draw(rng)
    given, latin = given_name(sex, True, rng)
    return Name(characters, given, sound.capitalize(), latin, True)


def latin_name(sex: str, rng: Random, family: tuple[str, str] | None = None) -> Name:
    """Draw a name in Latin letters.

    Example:
        >>> latin_name("male", Random(1)).chinese
        False
    """
    surname = (family or _latin("family", "both").draw(rng))[0]
    given, _ = given_name(sex, False, rng)
    return Name(surname, given, surname, given, False)


def misspell_latin(text: str, rng: Random) -> str:
    """Make one typing error: a letter omitted, doubled or changed, or two swapped.

    Example:
        >>> misspell_latin("Johnson", Random(3)) != "Johnson"
        True
    """
    at = 1 + below(rng, len(text) - 1) if len(text) > 1 else 0
    slip = below(rng, 4)
    if slip == 0 and len(text) > 3:
        return text[:at] + text[at + 1 :]
    if slip == 1 and at + 1 < len(text) and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if slip == 2:
        return text[:at] + text[at] + text[at:]
    letter = "abcdefghijklmnopqrstuvwxyz"[below(rng, 26)]
    return text[:at] + letter + text[at + 1 :]


def misspell_chinese(given: str, rng: Random) -> str:
    """Replace a character by one with the same pinyin, a typical input error.

    Example:
        >>> misspell_chinese("伟", Random(3)) != "伟"
        True
    """
    at = below(rng, len(given))
    alike = _homophones().get(given[at], ())
    if not alike:
        return given
    return given[:at] + alike[below(rng, len(alike))] + given[at + 1 :]
