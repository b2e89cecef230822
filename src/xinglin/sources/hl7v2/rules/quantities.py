"""NM, SN and their units as Quantity, Range, Ratio or text."""

from __future__ import annotations

import re
from collections.abc import Callable

from xinglin.sources.hl7v2.rules.primitives import decimal, quoted, text_of
from xinglin.sources.record import Rejected

__all__ = ["UnitOf", "quantity", "reference_range", "structured"]

UnitOf = Callable[[str], str]
"""From OBX-6 to the members ``,"unit":…`` of a Quantity."""

_COMPARATORS = {"<", "<=", ">=", ">"}
_SIGNS = {one: one for one in _COMPARATORS} | {
    "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "＜": "<", "＞": ">",
}  # fmt: skip
_LIMIT = re.compile(r"([<>]=?|=[<>]|[≤≥＜＞])\s*(\S+)").fullmatch


def quantity(raw: str, unit: str, unit_of: UnitOf) -> str:
    """NM: a number with its unit; many laboratories write a limit of measurement before it.

    Raises:
        Rejected: invalid-number.

    Example:
        >>> quantity("1.50", "mg/dL", lambda unit: ',"unit":"mg/dL"'), quantity("<0.5", "", lambda unit: "")
        ('{"value":1.50,"unit":"mg/dL"}', '{"value":0.5,"comparator":"<"}')
    """
    text = text_of(raw.split("^", 1)[0])
    found = _LIMIT(text)
    comparator, digits = (_SIGNS[found[1]], found[2]) if found else ("", text)
    number = decimal(digits)
    mark = f',"comparator":"{comparator}"' if comparator else ""
    return f'{{"value":{number}{mark}{unit_of(unit)}}}' if number else ""


def structured(raw: str, unit: str, unit_of: UnitOf) -> str:
    """SN: ``<comparator>^<number>^<separator>^<number>`` as a member ``value…`` (segment map OBX[Observation]).

    Example:
        >>> structured(">^100", "", lambda unit: "")
        '"valueQuantity":{"value":100,"comparator":">"}'
        >>> structured("^1^:^128", "", lambda unit: "")
        '"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}'
        >>> structured("^3^-^5", "", lambda unit: ""), structured("^3^+", "", lambda unit: "")
        ('"valueRange":{"low":{"value":3},"high":{"value":5}}', '"valueString":"3+"')
    """
    comparator, first, sign, second = ([text_of(part) for part in raw.split("^")] + [""] * 4)[:4]
    if comparator == "=":
        comparator = ""
    if not first and not second:
        return ""
    if not comparator and sign in (":", "/", "-") and first and second:
        low, high = decimal(first), decimal(second)
        if sign == "-":
            member = unit_of(unit)
            return f'"valueRange":{{"low":{{"value":{low}{member}}},"high":{{"value":{high}{member}}}}}'
        return f'"valueRatio":{{"numerator":{{"value":{low}}},"denominator":{{"value":{high}}}}}'
    if not sign and not second and (not comparator or comparator in _COMPARATORS):
        mark = f',"comparator":"{comparator}"' if comparator else ""
        return f'"valueQuantity":{{"value":{decimal(first)}{mark}{unit_of(unit)}}}'
    text = quoted("".join((comparator, first, sign, second)))
    return f'"valueString":{text}' if text else ""


def reference_range(raw: str, unit: str, unit_of: UnitOf) -> str:
    """OBX-7 as one referenceRange: low and high where it is ``3.5-5.0``, ``<5`` or ``>3``, and always the text.

    Example:
        >>> reference_range("3.5-5.0", "", lambda unit: "")
        '{"low":{"value":3.5},"high":{"value":5.0},"text":"3.5-5.0"}'
    """
    text = text_of(raw)
    if not text:
        return ""
    low = high = ""
    if text[0] == "<":
        high = _number(text.lstrip("<="))
    elif text[0] == ">":
        low = _number(text.lstrip(">="))
    else:
        for sign in ("-", "_", "~"):
            first, found, second = text[1:].partition(sign)
            if found:
                low, high = _number(text[0] + first), _number(second)
                break
        if not (low and high):
            low = high = ""
    member = unit_of(unit)
    ends = "".join(f'"{name}":{{"value":{end}{member}}},' for name, end in (("low", low), ("high", high)) if end)
    return f'{{{ends}"text":{quoted(text)}}}'


def _number(text: str) -> str:
    try:
        return decimal(text.strip())
    except Rejected:
        return ""
