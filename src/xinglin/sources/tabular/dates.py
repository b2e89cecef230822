"""Dates and times as they are written in tables, as FHIR's date, dateTime and instant.

A pattern uses strptime's letters. Digits may be missing in front of day, month and hour (9:05), never of minutes and
seconds: 11:0 has lost a digit, and nobody knows which.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

__all__ = ["ISO", "Moment", "has_local_time", "pattern", "reader", "zone_named"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LETTERS = {
    "Y": "(?P<Y>[0-9]{4})",
    "y": "(?P<y>[0-9]{2})",
    "m": "(?P<m>1[0-2]|0?[1-9])",
    "d": "(?P<d>3[01]|[12][0-9]|0?[1-9])",
    "H": "(?P<H>2[0-3]|[01]?[0-9])",
    "I": "(?P<I>1[0-2]|0?[1-9])",
    "M": "(?P<M>[0-5][0-9])",
    "S": "(?P<S>[0-5][0-9])",
    "f": "(?P<f>[0-9]{1,9})",
    "p": "(?P<p>[AaPp][Mm]|上午|下午)",
    "z": "(?P<z>[Zz]|[+-][0-9]{2}:?[0-9]{2})",
    "b": "(?P<b>[A-Za-z]{3})",
    "%": "%",
}

ISO = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m",
    "%Y",
)
"""What is tried where the mapping names no pattern, and for the dates of typed sources."""


class Moment(NamedTuple):
    """One date or time in FHIR's spelling.

    Args:
        day: Year, month or day.
        moment: With time and offset; None where the text holds no time.
    """

    day: str
    moment: str | None


@lru_cache(maxsize=256)
def pattern(form: str) -> re.Pattern[str]:
    """The regular expression of a strptime pattern.

    Raises:
        ValueError: A letter is not known, or stands twice.

    Example:
        >>> bool(pattern("%Y年%m月%d日").fullmatch("2024年2月9日"))
        True
    """
    made = ""
    place = 0
    while place < len(form):
        sign = form[place]
        if sign == "%":
            place += 1
            letter = form[place : place + 1]
            if letter not in _LETTERS:
                raise ValueError(f"%{letter} is not one of {' '.join('%' + one for one in _LETTERS)}")
            made += _LETTERS[letter]
        else:
            made += r"\s+" if sign.isspace() else re.escape(sign)
        place += 1
    try:
        found = re.compile(made)
    except re.error:
        raise ValueError("a letter stands twice") from None
    if not {"Y", "y"} & found.groupindex.keys():
        raise ValueError("the year is missing: %Y or %y")
    return found


def has_local_time(form: str) -> bool:
    """Whether a pattern holds a time of day without its offset.

    Example:
        >>> has_local_time("%Y-%m-%d %H:%M"), has_local_time("%Y-%m-%dT%H:%M:%S%z"), has_local_time("%Y-%m-%d")
        (True, False, False)
    """
    names = pattern(form).groupindex.keys()
    return bool({"H", "I"} & names) and "z" not in names


def zone_named(name: str) -> tzinfo:
    """A time zone by IANA name or offset.

    Raises:
        ValueError: There is none of that name.

    Example:
        >>> zone_named("+08:00")
        datetime.timezone(datetime.timedelta(seconds=28800))
    """
    from zoneinfo import ZoneInfo

    if name in ("Z", "UTC"):
        return timezone.utc  # noqa: UP017 - zoneinfo's UTC would need its data
    if found := re.fullmatch(r"([+-])(0[0-9]|1[0-4]):?([0-5][0-9])", name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except Exception:  # zoneinfo has a kind of its own for names, folders and broken files
        raise ValueError("expected an IANA name such as Asia/Shanghai or an offset such as +08:00") from None


def reader(forms: tuple[str, ...], zone: tzinfo | None) -> Callable[[str], Moment | None]:
    """A function that reads a text by the first pattern that fits; None where none does.

    Args:
        forms: strptime patterns.
        zone: Of times without offset; without it they do not fit.

    Example:
        >>> read = reader(("%m-%d-%Y %H:%M",), zone_named("Asia/Shanghai"))
        >>> read("04-21-1991 9:09"), read("04-21-1991 9:9"), read("02-30-1991 09:00")
        (Moment(day='1991-04-21', moment='1991-04-21T09:09:00+09:00'), None, None)
    """
    patterns = [pattern(form) for form in forms]

    @lru_cache(maxsize=65_536)
    def read(text: str) -> Moment | None:
        for one in patterns:
            if (match := one.fullmatch(text)) and (found := _moment(match.groupdict(), zone)):
                return found
        return None

    return read


def _moment(found: dict[str, str], zone: tzinfo | None) -> Moment | None:
    year = int(found["Y"]) if "Y" in found else int(found["y"]) + (1900 if int(found["y"]) >= 69 else 2000)
    if "b" in found and found["b"].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(found["b"].lower()) + 1 if "b" in found else int(found.get("m", 0))
    hour = found.get("H", found.get("I"))
    day = f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{int(found['d']):02}" if "d" in found else "")
    try:
        if hour is None:
            datetime(year, month or 1, int(found.get("d", 1)))
            return Moment(day, None)
        minute, second = int(found.get("M", 0)), int(found.get("S", 0))
        local = datetime(year, month, int(found["d"]), _hour(int(hour), found.get("p")), minute, second)
    except (ValueError, KeyError):
        return None
    offset = _given_offset(found["z"]) if "z" in found else _offset(local, zone)
    if offset is None:
        return None
    fraction = f".{found['f']}" if "f" in found else ""
    return Moment(day, f"{local:%Y-%m-%dT%H:%M:%S}"[-19:].rjust(19, "0") + fraction + offset)


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half in ("下午", "PM", "pm", "Pm", "pM") else 0)


def _given_offset(text: str) -> str:
    return "Z" if text in "Zz" else text if ":" in text else f"{text[:3]}:{text[3:]}"


def _offset(local: datetime, zone: tzinfo | None) -> str | None:
    """The offset at a local time; an hour that a clock shows twice is taken as the first of the two."""
    if zone is None:
        return None
    minutes = round((local.replace(tzinfo=zone).utcoffset() or timedelta()).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
