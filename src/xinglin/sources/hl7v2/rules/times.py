"""HL7 v2's DT, DTM and TM as FHIR's date, dateTime, instant and time, with the precision kept (v2.8, 2A.2.21)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from xinglin.sources.record import Rejected

__all__ = ["date", "date_time", "instant", "moment", "offset_of", "time", "zone_of"]


@lru_cache(maxsize=8_192)
def date_time(raw: str, zone: str) -> str:
    """A dateTime in quotes; with a time it gets seconds and a zone, because FHIR wants both.

    Args:
        raw: ``YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]``.
        zone: Offset or IANA name where none is written.

    Raises:
        Rejected: invalid-date.

    Example:
        >>> date_time("202402", ""), date_time("202402290810", "+08:00"), date_time("20240229081000.5-0500", "")
        ('"2024-02"', '"2024-02-29T08:10:00+08:00"', '"2024-02-29T08:10:00.5-05:00"')
        >>> date_time("19530010", ""), date_time("195305000000", "")
        ('"1953"', '"1953-05"')
    """
    text = raw.strip()
    if not text:
        return ""
    digits, offset = _offset(text)
    whole, _, fraction = digits.partition(".")
    if len(whole) in (16, 17) and not fraction:
        whole, fraction = whole[:14], whole[14:]  # senders who leave out the point
    size = len(whole)
    if not (whole.isascii() and whole.isdigit()) or (fraction and not (fraction.isascii() and fraction.isdigit())):
        raise _invalid()
    if size <= 8 or (day := _day(whole[:8])) != f"{whole[:4]}-{whole[4:6]}-{whole[6:8]}":
        return f'"{_day(whole[:8])}"'
    if size not in (10, 12, 14):
        raise _invalid()
    whole = (whole + "0000")[:14]
    if whole[8:10] == "24" and whole[10:] == "0000":
        return f'"{_day(whole[:8])}"'  # midnight at the end of the day: only the day is certain
    local = f"{day}T{whole[8:10]}:{whole[10:12]}:{whole[12:14]}"
    if whole[8:10] > "23" or whole[10:12] > "59" or whole[12:14] > "59":
        raise _invalid()
    part = f".{fraction[:9]}" if fraction and size == 14 else ""
    return f'"{local}{part}{offset or offset_of(zone, local)}"'


def date(raw: str, zone: str = "") -> str:
    """The day, month or year of a DT or DTM in quotes.

    Example:
        >>> date("19620320153000"), date("1962")
        ('"1962-03-20"', '"1962"')
    """
    return date_time(raw, zone or "+00:00")[:11].rstrip('"') + '"' if raw.strip() else ""


def moment(raw: str, zone: str) -> str:
    """A dateTime where a time is written, else nothing.

    Example:
        >>> moment("19620320", "+00:00"), moment("196203201530", "+00:00")
        ('', '"1962-03-20T15:30:00+00:00"')
    """
    text = date_time(raw, zone)
    return text if "T" in text else ""


def instant(raw: str, zone: str) -> str:
    """A dateTime made whole: the first moment of what is written.

    Example:
        >>> instant("20240229", "+08:00")
        '"2024-02-29T00:00:00+08:00"'
    """
    text = date_time(raw, zone)
    if not text or "T" in text:
        return text
    local = (text[1:-1] + "-01-01")[:10] + "T00:00:00"
    return f'"{local}{offset_of(zone, local)}"'


def time(raw: str, zone: str = "") -> str:
    """A TM as FHIR's time, which has no zone.

    Example:
        >>> time("0810"), time("081005.25+0800")
        ('"08:10:00"', '"08:10:05.25"')
    """
    text = _offset(raw.strip())[0] if raw.strip() else ""
    if not text:
        return ""
    whole, _, fraction = text.partition(".")
    if not whole.isdigit() or len(whole) not in (2, 4, 6) or (fraction and not fraction.isdigit()):
        raise Rejected("invalid-time", "expected HH[MM[SS[.S]]]")
    whole = (whole + "0000")[:6]
    if whole[:2] > "23" or whole[2:4] > "59" or whole[4:] > "59":
        raise Rejected("invalid-time", "expected a time of the day")
    return f'"{whole[:2]}:{whole[2:4]}:{whole[4:]}{"." + fraction if fraction else ""}"'


@lru_cache(maxsize=16_384)
def offset_of(zone: str, local: str) -> str:
    """The offset of a zone at a local moment.

    Example:
        >>> offset_of("+08:00", ""), offset_of("Europe/Berlin", "2024-07-01T12:00:00")
        ('+08:00', '+02:00')
    """
    if not zone or zone[0] in "+-":
        return zone or "+00:00"
    offset = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
    text = datetime(2000, 1, 1, tzinfo=timezone(offset)).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def zone_of(raw: str) -> str:
    """The offset that a DTM writes; empty where it writes none or none that exists.

    Example:
        >>> zone_of("20240101+0800"), zone_of("20240101")
        ('+08:00', '')
    """
    try:
        return _offset(raw.strip())[1]
    except Rejected:
        return ""


def _offset(text: str) -> tuple[str, str]:
    if text[-1:] == "Z":
        return text[:-1], "+00:00"
    sign = text[-5:-4]
    if sign not in ("+", "-") or not sign:
        if len(text) > 4 and ("+" in text or "-" in text):
            raise _invalid()
        return text, ""
    hours, minutes = text[-4:-2], text[-2:]
    if not (hours + minutes).isdigit() or hours > "14" or minutes > "59" or (hours == "14" and minutes != "00"):
        raise _invalid()
    return text[:-5], f"{sign}{hours}:{minutes}"


@lru_cache(maxsize=8_192)
def _day(digits: str) -> str:
    if digits[4:6] == "00":
        digits = digits[:4]  # a month or day of zeros is one that is not known
    elif digits[6:] == "00":
        digits = digits[:6]
    try:
        if len(digits) == 8:
            datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
            return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
        if len(digits) == 6:
            datetime(int(digits[:4]), int(digits[4:]), 1)
            return f"{digits[:4]}-{digits[4:]}"
        if len(digits) == 4 and digits != "0000":
            return digits
    except ValueError:
        pass
    raise _invalid()


def _invalid() -> Rejected:
    return Rejected("invalid-date", "expected YYYY[MM[DD[HH[MM[SS[.S]]]]]][+-ZZZZ] on a day of the calendar")
