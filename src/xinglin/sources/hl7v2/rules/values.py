"""OBX-5 as ``value[x]``: OBX-2 says what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xinglin.sources.hl7v2.rules.expressions import first_of, getter, parse_path
from xinglin.sources.hl7v2.rules.primitives import PRIMITIVES, decimal, quoted
from xinglin.sources.hl7v2.rules.quantities import UnitOf, quantity, structured
from xinglin.sources.record import Rejected

__all__ = ["Convert", "Made", "value_member"]

Made = Callable[[Any, str], str]
"""From a context (or the components of a datatype) and the zone to JSON text; empty for nothing."""
Convert = Callable[[str, str], str]
"""From a text as written and the zone to JSON text."""

_Kind = Callable[[str, str, str], str]
"""From the text, its unit and the zone to a member ``"value…":…``."""


def value_member(spec: dict[str, Any], converter: Callable[[str], Convert], units: UnitOf, where: str) -> Made:
    """What makes the member ``,"value…":…``.

    Args:
        spec: ``from``, ``kind`` and ``unit`` as paths, ``kinds`` as a table from OBX-2 to names of kinds.
        converter: Gives what makes JSON of a datatype.
        units: Gives the unit members of a Quantity.
        where: For messages about the mapping.
    """
    get = getter(replace(parse_path(spec["from"], where), many=True))
    kind_of, unit_of = (getter(parse_path(spec[name], where)) for name in ("kind", "unit"))
    makers = {name: _maker(kind, converter, units) for name, kind in spec["kinds"].items()}
    other = makers.get("*")
    whole = {name for name, kind in spec["kinds"].items() if kind == "text"}

    def member(context: Any, zone: str) -> str:
        raw = get(context)
        if not raw or raw == '""':
            return ""
        kind = kind_of(context).strip()
        make = makers.get(kind, other)
        if make is None:
            raise Rejected("unknown-value-type", "expected a known value type at OBX-2")
        if "~" in raw and kind not in whole:
            raw = first_of(raw)
        try:
            text = make(raw, unit_of(context), zone)
        except Rejected as rejected:
            rejected.raw = raw
            raise
        return "," + text if text else ""

    return member


def _maker(kind: str, converter: Callable[[str], Convert], units: UnitOf) -> _Kind:
    if kind == "quantity":
        return lambda raw, unit, zone: _named("valueQuantity", quantity(raw, unit, units))
    if kind == "structured":
        return lambda raw, unit, zone: structured(raw, unit, units)
    if kind == "range":
        return lambda raw, unit, zone: _range(raw, units(unit))
    if kind == "text":
        return lambda raw, unit, zone: _named("valueString", quoted(raw.replace("~", "\\.br\\")))
    if kind == "moment":
        return lambda raw, unit, zone: _named("valueDateTime", PRIMITIVES["dateTime"](raw.split("^", 1)[0], zone))
    if kind == "time":
        return lambda raw, unit, zone: _named("valueTime", PRIMITIVES["time"](raw.split("^", 1)[0], zone))
    if kind == "series":
        return lambda raw, unit, zone: _series(raw)
    if kind == "nothing":
        return lambda raw, unit, zone: ""
    convert = converter(kind)
    name = {"Period": "valuePeriod"}.get(kind, "valueCodeableConcept")
    return lambda raw, unit, zone: _named(name, convert(raw, zone))


def _named(name: str, text: str) -> str:
    return f'"{name}":{text}' if text else ""


def _range(raw: str, unit: str) -> str:
    low, high = ([decimal(part) for part in raw.split("^")] + ["", ""])[:2]
    ends = [f'"{name}":{{"value":{end}{unit}}}' for name, end in (("low", low), ("high", high)) if end]
    return _named("valueRange", "{" + ",".join(ends) + "}" if ends else "")


def _series(raw: str) -> str:
    """NA: numbers of a series; how far apart they are is said elsewhere in the message, so they stay a text."""
    return _named("valueString", quoted(" ".join(part for part in raw.split("^") if part)))
