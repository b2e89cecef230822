"""What stands at the end of every path of the mapping: one text of a message as one JSON value."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring
from math import isfinite

from xinglin.sources.hl7v2.message.parse import unescape
from xinglin.sources.hl7v2.rules import times
from xinglin.sources.placeholders import is_placeholder
from xinglin.sources.record import Rejected

__all__ = ["PRIMITIVES", "decimal", "quoted", "text_of"]

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII).fullmatch
_MARKED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def text_of(raw: str) -> str:
    """Text with escapes resolved; the null of HL7 (two quotation marks) is nothing."""
    if raw == '""':
        return ""
    text = (unescape(raw) if "\\" in raw else raw).strip()
    return _MARKED.sub("", text) if not text.isprintable() else text


def quoted(raw: str, zone: str = "") -> str:
    r"""A text as a JSON string; nothing for blank ones.

    Example:
        >>> quoted(" a\\T\\b "), quoted('""'), quoted("")
        ('"a&b"', '', '')
    """
    text = text_of(raw)
    return encode_basestring(text) if text else ""


@lru_cache(maxsize=4_096)
def decimal(raw: str, zone: str = "") -> str:
    """A number as it was written, as far as JSON can: ``1.50`` stays, ``.5`` becomes ``0.5``.

    Raises:
        Rejected: invalid-number.

    Example:
        >>> decimal("1.50"), decimal("+007"), decimal(".5"), decimal("3.")
        ('1.50', '7', '0.5', '3')
    """
    text = text_of(raw)
    if not text:
        return ""
    if len(text) > 60 or not _NUMBER(text) or not isfinite(float(text)):
        raise Rejected("invalid-number", "expected a number")
    sign, rest = ("-", text[1:]) if text[0] == "-" else ("", text.lstrip("+"))
    mantissa, power = rest.lower().partition("e")[::2]
    whole, point, part = mantissa.partition(".")
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}{'.' + part if point and part else ''}{'e' + power if power else ''}"


def _integer(raw: str, zone: str) -> str:
    number = decimal(raw)
    whole, _, part = number.partition(".")
    if part.strip("0") or "e" in number or len(whole) > 10:
        raise Rejected("invalid-number", "expected a whole number")
    return whole


def _boolean(raw: str, zone: str) -> str:
    return {"Y": "true", "YES": "true", "1": "true", "T": "true", "N": "false", "NO": "false", "0": "false",
            "F": "false"}.get(raw.strip().upper(), "")  # fmt: skip


def _code(raw: str, zone: str) -> str:
    text = " ".join(text_of(raw).split())
    return encode_basestring(text) if text else ""


def _base64(raw: str, zone: str) -> str:
    """Text as base64, as an Attachment wants it."""
    text = unescape(raw)
    return f'"{base64.b64encode(text.encode()).decode()}"' if text.strip() else ""


def _lines(raw: str, zone: str) -> str:
    """Repetitions of a text as its lines."""
    return quoted(raw.replace("~", "\\.br\\") if "~" in raw else raw)


def _encoded(raw: str, zone: str) -> str:
    """What is base64 already, without its line ends."""
    packed = "".join(unescape(raw).split())
    try:
        base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("invalid-base64", "expected base64 as the component for the encoding says") from None
    return f'"{packed}"' if packed else ""


def _phone(raw: str, zone: str) -> str:
    """XTN: as one text where it was written as one, else from its parts."""
    parts = [*raw.split("^"), *[""] * 12][:12]
    if parts[11]:
        return quoted(parts[11])
    if parts[3] and (parts[1] == "NET" or parts[2] in ("Internet", "X.400")):
        return quoted(parts[3])
    if parts[0] or not parts[6]:
        return quoted(parts[0] or parts[3])
    number = " ".join(part for part in (parts[4] and "+" + parts[4].lstrip("+"), parts[5], parts[6]) if part)
    return quoted(number + (f" x{parts[7]}" if parts[7] else ""))


def _marked(convert: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """The conversion, whose error knows the text that could not be read."""

    def marked(raw: str, zone: str = "") -> str:
        try:
            return convert(raw, zone)
        except Rejected as rejected:
            rejected.raw = raw
            raise

    return marked


def _number(raw: str, zone: str) -> str:
    """An identifier as text; nothing for a placeholder, which identifies nobody."""
    return "" if is_placeholder(text_of(raw)) else quoted(raw)


PRIMITIVES: dict[str, Callable[[str, str], str]] = {
    "string": quoted,
    "code": _code,
    "decimal": _marked(decimal),
    "integer": _marked(_integer),
    "boolean": _boolean,
    "date": _marked(times.date),
    "dateTime": _marked(times.date_time),
    "instant": _marked(times.instant),
    "moment": _marked(times.moment),
    "time": _marked(times.time),
    "lines": _lines,
    "base64": _base64,
    "encoded": _marked(_encoded),
    "number": _number,
    "phone": _phone,
}
"""The primitive types that a mapping may name after ``as``."""
