"""FHIR's date, dateTime and instant: shape by the specification's patterns, days by the calendar.

Patterns: https://hl7.org/fhir/R4/datatypes.html#primitive. The classes are markers for msgspec: a decoder asks
`accept` about every text it meets where one is expected, so the JSON path of a bad one comes for free.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

__all__ = ["Date", "DateTime", "Instant", "accept", "instant", "is_date", "is_datetime", "is_instant", "microseconds"]

_YEAR = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE = re.compile(rf"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
_INSTANT = re.compile(rf"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_TIME}")


class Date:
    """Year, year and month, or day."""


class DateTime:
    """A Date, or a day with time and zone."""


class Instant:
    """A day with time and zone."""


@lru_cache(maxsize=65_536)
def is_date(text: str) -> bool:
    """Whether the text is a FHIR date that the calendar knows.

    Example:
        >>> is_date("2024-02-29"), is_date("2024-02-30"), is_date("2024")
        (True, False, True)
    """
    if not _DATE.fullmatch(text):
        return False
    if len(text) < 10:
        return True
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_instant(text: str) -> bool:
    """Whether the text is a FHIR instant.

    The standard library's parser, written in C, decides the usual shapes; the pattern decides the others,
    such as a leap second.

    Example:
        >>> is_instant("2024-02-29T08:00:00+08:00"), is_instant("2024-02-29T08:00:00")
        (True, False)
    """
    size = len(text)
    if (
        (size == 20 or size == 25 or (text[19:20] == "." and text[20:21].isdigit()))
        and text[10] == "T"
        and text[13] == ":" == text[16]
    ):
        zone = text[-6:]
        if text[4] == "-" == text[7] and (zone[5] == "Z" or (zone[0] in "+-" and zone[1:3] < "14")):
            try:
                datetime.fromisoformat(text)
            except ValueError:
                pass
            else:
                return True
    return bool(_INSTANT.fullmatch(text)) and is_date(text[:10])


def is_datetime(text: str) -> bool:
    """Whether the text is a FHIR dateTime.

    Example:
        >>> is_datetime("2024-02"), is_datetime("2024-02-30T08:00:00Z")
        (True, False)
    """
    return is_instant(text) if len(text) > 10 else is_date(text)


@lru_cache(maxsize=65_536)
def microseconds(text: str) -> int | None:
    """The moment of an instant on the one line of time, in microseconds since 1970 UTC; None for what is none.

    Example:
        >>> microseconds("2024-06-02T01:00:00+08:00") < microseconds("2024-06-01T20:00:00Z"), microseconds("2024")
        (True, None)
    """
    if text[17:19] == "60":
        text = f"{text[:17]}59{text[19:]}"  # a leap second
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHECKS: dict[type, Callable[[str], bool]] = {Date: is_date, DateTime: is_datetime, Instant: is_instant}
_GOOD: dict[type, set[str]] = {Date: set(), DateTime: set(), Instant: set()}  # most moments come more than once
_REMEMBERED = 100_000
_JSON_NAMES = {dict: "object", list: "array", int: "int", float: "float", bool: "bool", type(None): "null"}
_SEEN: dict[type, Any] = {Date: Date(), DateTime: DateTime(), Instant: Instant()}


def accept(kind: type, value: Any) -> Any:
    """Decoding hook of msgspec for the three markers.

    Raises:
        TypeError: It is not a text.
        ValueError: It is not such a moment; the message begins with ``Invalid`` and never tells the value.
    """
    good = _GOOD[kind]
    if type(value) is not str:
        raise TypeError(f"Expected `str`, got `{_JSON_NAMES.get(type(value), 'other')}`")
    if value not in good:
        if not _CHECKS[kind](value):
            raise ValueError(f"Invalid {kind.__name__}")
        if len(good) >= _REMEMBERED:
            good.clear()
        good.add(value)
    return _SEEN[kind]


def instant(micros: int) -> str:
    """Format a time as a FHIR instant.

    Args:
        micros: Microseconds since 1970.

    Example:
        >>> instant(1_700_000_000_000_001)
        '2023-11-14T22:13:20.000001Z'
    """
    second, fraction = divmod(micros, 1_000_000)
    return f"{_second(second)}.{fraction:06d}Z"


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
