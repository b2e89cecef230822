"""Numbers as they are written in tables, as JSON numbers of the same digits."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Measured", "decimal_text", "measured"]

_JSON = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_LOOSE = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]+)?").fullmatch
_COMPARED = re.compile(r"\s*(<=|>=|<|>|≤|≥|＜|＞)\s*(.*)", re.DOTALL).fullmatch
_SIGNS = {"≤": "<=", "≥": ">=", "＜": "<", "＞": ">"}
_LONGEST = 100


class Measured(NamedTuple):
    """A number and how the true value compares to it."""

    number: str
    comparator: str | None


def decimal_text(text: str, thousands: str = "", decimal: str = ".") -> str | None:
    """A number as JSON, every digit behind the point kept; None where the text is no number.

    Args:
        text: As written.
        thousands: What separates groups of three digits; nothing when not said.
        decimal: What stands before the fraction.

    Example:
        >>> decimal_text("1.50"), decimal_text("007"), decimal_text("1,234.5"), decimal_text("1,234.5", ",")
        ('1.50', '7', None, '1234.5')
    """
    if len(text) > _LONGEST:
        return None
    if thousands and thousands in text:
        if not _grouped(thousands, decimal)(text):
            return None
        text = text.replace(thousands, "")
    if decimal != ".":
        if "." in text:
            return None
        text = text.replace(decimal, ".")
    if _JSON(text):
        return text
    found = _LOOSE(text)
    if not found or not any(sign.isdecimal() for sign in text.partition("e")[0].partition("E")[0]):
        return None
    sign = "-" if found[1] == "-" else ""
    return f"{sign}{found[2] or '0'}{'.' + found[3] if found[3] else ''}{found[4] or ''}"


@lru_cache(maxsize=16)
def _grouped(thousands: str, decimal: str):  # type: ignore[no-untyped-def]
    return re.compile(
        rf"[+-]?[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+(?:{re.escape(decimal)}[0-9]+)?"
    ).fullmatch


def measured(text: str, thousands: str = "", decimal: str = ".") -> Measured | None:
    """A measured value, which may be below or above a limit.

    Example:
        >>> measured("<0.01"), measured("≥ 5"), measured("5"), measured("0Hi")
        (Measured(number='0.01', comparator='<'), Measured(number='5', comparator='>='), \
Measured(number='5', comparator=None), None)
    """
    comparator = None
    if text[:1] in "<>≤≥＜＞" and (found := _COMPARED(text)):
        comparator, text = _SIGNS.get(found[1], found[1]), found[2]
    number = decimal_text(text, thousands, decimal)
    return None if number is None else Measured(number, comparator)
