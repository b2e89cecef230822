"""DICOM's dates, times and offsets in FHIR's words (PS3.5, section 6.2: DA, TM, AS)."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["age", "clock", "day", "moment"]

_DAY = re.compile(r"([0-9]{4})[.]?([0-9]{2})[.]?([0-9]{2})").fullmatch
_TIME = re.compile(r"([01][0-9]|2[0-3]):?([0-5][0-9])?:?([0-5][0-9]|60)?(?:\.([0-9]{1,6}))?").fullmatch
_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-4])([0-5][0-9])").fullmatch
_AGE = re.compile(r"([0-9]{3})([DWMY])").fullmatch
_UNITS = {"D": "d", "W": "wk", "M": "mo", "Y": "a"}


def day(written: str | None) -> str | None:
    """A DA, the older form with dots included, as a FHIR date.

    Example:
        >>> day("20000907"), day("2000.09.07"), day("20000231"), day(None)
        ('2000-09-07', '2000-09-07', None, None)
    """
    match = _DAY(written or "")
    if not match or match[1] == "0000":
        return None
    text = "-".join(match.groups())
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def clock(written: str | None) -> str | None:
    """A TM with at least hour and minute as a FHIR time; fractions of a second are left out.

    Example:
        >>> clock("101142.860000"), clock("1011"), clock("10:11:42"), clock("256161"), clock("10")
        ('10:11:42', '10:11:00', '10:11:42', None, None)
    """
    match = _TIME(written or "")
    if not match or match[2] is None:
        return None
    second = "59" if match[3] == "60" else match[3] or "00"
    return f"{match[1]}:{match[2]}:{second}"


def moment(date_text: str | None, time_text: str | None, offset: str | None) -> str | None:
    """A dateTime: with time only where the object says its offset from UTC, since FHIR knows no time without a zone.

    Example:
        >>> moment("20000907", "101142", "+0800"), moment("20000907", "101142", None)
        ('2000-09-07T10:11:42+08:00', '2000-09-07')
    """
    the_day, the_time, zone = day(date_text), clock(time_text), _OFFSET(offset or "")
    if the_day is None or the_time is None or zone is None or (zone[2] == "14" and zone[3] != "00"):
        return the_day
    return f"{the_day}T{the_time}{zone[1]}{zone[2]}:{zone[3]}"


def age(written: str | None) -> tuple[int, str] | None:
    """An AS as number and UCUM unit.

    Example:
        >>> age("059Y"), age("59"), age("018M")
        ((59, 'a'), None, (18, 'mo'))
    """
    match = _AGE((written or "").upper())
    return (int(match[1]), _UNITS[match[2]]) if match else None
