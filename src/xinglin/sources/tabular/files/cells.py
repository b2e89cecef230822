"""Cells that have types, as the text that a table of text would hold."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

__all__ = ["Inexact", "is_inexact", "text_of"]

_EXACT = 1e15
_SHOWN = re.compile(r"\d(?:\.\d+)?E\+(?:1[5-9]|[2-9]\d)").fullmatch


class Inexact(str):
    """A whole number of more digits than a workbook or a double keeps: its last digits are not what was entered."""

    __slots__ = ()


def is_inexact(value: str) -> bool:
    """Whether a cell's last digits were lost: a number cell beyond 15 digits, or what a spreadsheet made of one.

    Example:
        >>> is_inexact(text_of(5.101012000031501e17)), is_inexact("5.10101E+17"), is_inexact("510101200003150123")
        (True, True, False)
    """
    return type(value) is Inexact or ("E+" in value and _SHOWN(value.strip()) is not None)


def text_of(value: Any) -> str:
    """A cell as text: dates in ISO 8601, numbers with the digits they have, nothing for a missing value.

    Example:
        >>> [text_of(value) for value in (None, 5.0, Decimal("1.50"), date(2024, 2, 9), True)]
        ['', '5', '1.50', '2024-02-09', 'true']
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if not value.is_integer():
            return repr(value)
        return str(int(value)) if abs(value) < _EXACT else Inexact(repr(value))
    if isinstance(value, Decimal):
        return "" if value.is_nan() else f"{value:f}"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (dict, list, tuple)):
        import orjson

        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return str(value)
