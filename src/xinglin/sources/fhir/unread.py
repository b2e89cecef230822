"""A resource without the dates that cannot be read: they cost the element, not the resource.

FHIR R4, extensibility.html: an element without a value says why by the extension data-absent-reason; the text stays
beside it, so nothing is lost.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import orjson
from msgspec import Raw

from xinglin.core.fhir_times import is_datetime, microseconds
from xinglin.sources.record import Rejected

__all__ = ["ABSENT", "UNREADABLE", "without_unreadable"]

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
UNREADABLE = "urn:xinglin:unreadable"
_PLACE = re.compile(r"- at `\$\.([A-Za-z0-9.\[\]]+)`")
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_LIST = msgspec.json.Decoder(list[Raw])


def without_unreadable(text: bytes, rejected: Rejected) -> bytes | None:
    """The resource with data-absent-reason in place of a date that cannot be read; None where that cannot be made.

    Args:
        text: A resource that `check` refused.
        rejected: Why.

    Example:
        >>> why = Rejected("invalid-date", "Invalid Date - at `$.birthDate`")
        >>> without_unreadable(b'{"birthDate":"soon"}', why)[:50]
        b'{"_birthDate":{"extension":[{"url":"http://hl7.org'
    """
    place = _PLACE.search(rejected.detail) if rejected.reason == "invalid-date" else None
    if place is None:
        return None
    path = [step for part in place[1].split(".") for step in _steps(part)]
    try:
        found = _without(text, path)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return None if found == text else found


def _steps(part: str) -> list[str]:
    name, *lists = part.split("[")
    return [name, *("[]" for _ in lists)]


def _without(text: bytes, path: list[str]) -> bytes:
    """The text without the unreadable dates at a path; every item of a list is looked at."""
    step, rest = path[0], path[1:]
    if step == "[]":
        return b"[" + b",".join(_without(bytes(one), rest) if rest else bytes(one) for one in _LIST.decode(text)) + b"]"
    members = _OBJECT.decode(text)
    if step not in members:
        return text
    value = bytes(members[step])
    if rest:
        members[step] = Raw(_without(value, rest))
    elif not _is_moment(written := orjson.loads(value)) and f"_{step}" not in members:
        said = [{"url": ABSENT, "valueCode": "error"}, {"url": UNREADABLE, "valueString": written}]
        members = {
            (f"_{key}" if key == step else key): Raw(orjson.dumps({"extension": said})) if key == step else one
            for key, one in members.items()
        }
    return b"{" + b",".join(orjson.dumps(key) + b":" + bytes(one) for key, one in members.items()) + b"}"


def _is_moment(written: Any) -> bool:
    return type(written) is not str or is_datetime(written) or microseconds(written) is not None
