"""Values that stand where none is known: they identify nobody, whatever the format they come in."""

from __future__ import annotations

import re

__all__ = ["is_placeholder", "names_somebody"]

_WORDS = """
unknown unk unkn none null nil na n/a nan anon anonymous anonymized anonymised test temp temporary tbd tba todo
pending missing unavailable unassigned unidentified notavailable notknown noid nomrn nonumber default dummy
emergency trauma x xx xxx ? - . 0 无 不详 未知 暂无 无号 未提供 不明
"""
_NAMES = """
unknown unk unbekannt none test anonymous doe baby boy girl infant newborn babyboy babygirl male female
patient unidentified noname trauma emergency 无名氏 无名 不详 未知 佚名
"""
_NUMBERS, _NOBODY = frozenset(_WORDS.split()), frozenset(_NAMES.split())
_COUNTED = ("0123456789", "1234567890", "9876543210")
_SIGNS = re.compile(r"[\s._\-/]+")


def is_placeholder(number: str) -> bool:
    """Whether a number stands for an unknown one: a word that says so, zeros, one sign repeated, digits in order.

    Example:
        >>> [is_placeholder(one) for one in ("UNKNOWN", "00000000", "999-99-9999", "123456789", "", "4711", "11")]
        [True, True, True, True, True, False, False]
    """
    text = _SIGNS.sub("", number).lower()
    if not text or number.strip().lower() in _NUMBERS or text in _NUMBERS:
        return True
    if len(set(text)) == 1:
        return text[0] == "0" or len(text) >= (4 if text[0] in "9x*?" else 6)
    return len(text) >= 9 and text.isdigit() and any(text in counted * 2 for counted in _COUNTED)


def names_somebody(family: str, given: str) -> bool:
    """Whether a family and a given name can tell a person from others.

    Example:
        >>> names_somebody("Vale", "Ron"), names_somebody("Unknown", "Male"), names_somebody("Vale", "")
        (True, False, False)
    """
    words = [one for name in (family, given) for one in _SIGNS.sub(" ", name).lower().split()]
    return bool(family.strip() and given.strip()) and not any(one in _NOBODY for one in words)
