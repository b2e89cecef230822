"""OBX-5 as ``value[x]``: OBX-2 says what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xinglin.sources.hl7v2.expressions import first_of, getter, parse_path
from xinglin.sources.hl7v2.primitives import PRIMITIVES, decimal, quoted
from xinglin.sources.hl7v2.quantities import quantity, structured
from xinglin.sources.record import Rejected

if TYPE_CHECKING:
    from xinglin.sources.hl7v2.compile import Compiler, Made

__all__ = ["value_member"]

_Kind = Callable[[str, str, str], str]
"""From the text, its unit and the zone to a member ``"value…":…``."""


def value_member(spec: dict[str, Any], compiler: Compiler, where: str) -> Made:
    """What makes the member ``,"value…":…``.

    Args:
        spec: ``from``, ``kind`` and ``unit`` as paths, ``kinds`` as a table from OBX-2 to names of kinds.
        compiler: Knows the datatypes and units.
        where: For messages about the mapping.
    """
    get = getter(replace(parse_path(spec["from"], where), many=True))
    kind_of, unit_of = (getter(parse_path(spec[name], where)) for name in ("kind", "unit"))
    makers = {name: _maker(kind, compiler, where) for name, kind in spec["kinds"].items()}
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
        text = make(raw, unit_of(context), zone)
        return "," + text if text else ""

    return member


def _maker(kind: str, compiler: Compiler, where: str) -> _Kind:
    units = compiler.vocabulary.unit
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
    convert = compiler.converter(kind, where)
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
