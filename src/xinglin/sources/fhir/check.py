"""Is this text one FHIR resource? Strict JSON, known type, an id, right types, real days."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import orjson

from xinglin.core.fhir_times import microseconds
from xinglin.fhirpath.elements import json_names
from xinglin.sources.fhir.resource_types import RESOURCE_TYPES
from xinglin.sources.fhir.shapes import decoder
from xinglin.sources.fhir.subject import patient_of
from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected, Resource

__all__ = ["DEEPEST", "check", "parse"]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch

DEEPEST = 254
"""Levels of nesting that orjson prints; real resources have about twenty."""


def check(raw: bytes, limits: Limits) -> Resource:
    """Check one resource.

    Args:
        raw: Its JSON as received.
        limits: Size and depth it may have.

    Raises:
        Rejected: It is not a FHIR resource, with the reason.

    Example:
        >>> check(b'{"resourceType": "Patient", "id": "a"}', Limits()).text
        b'{"resourceType":"Patient","id":"a"}'
    """
    found, text = parse(raw, limits)
    if type(found) is not dict:
        raise Rejected("not-fhir", "expected a JSON object")
    resource_type = found.get("resourceType")
    if type(resource_type) is not str:
        if "resourceType" in found:
            raise Rejected("wrong-type", "expected a string at $.resourceType")
        raise Rejected("not-fhir", "expected the element resourceType")
    if resource_type not in RESOURCE_TYPES:
        raise Rejected("unknown-resource-type", "expected an R4 or R4B resource type at $.resourceType")
    resource_id = found.get("id")
    if type(resource_id) is not str or not _ID(resource_id):
        raise _bad_id(found)
    if b"null" in text:
        _refuse_null(found)
    try:
        decoder(resource_type)(text)
    except msgspec.ValidationError as error:
        raise _bad_shape(error) from None
    except RecursionError:
        raise Rejected("too-deep", f"expected at most {DEEPEST} levels") from None
    patient_id = resource_id if resource_type == "Patient" else patient_of(found)
    return Resource(
        resource_type, resource_id, patient_id, text, _updated(found), unknown=_unknown(resource_type, found)
    )


def parse(raw: bytes, limits: Limits) -> tuple[Any, bytes]:
    """Parse strict JSON.

    Returns:
        The value, and its text without whitespace between tokens.

    Raises:
        Rejected: too-large, too-deep, invalid-utf8, invalid-json or duplicate-key.

    Example:
        >>> parse(b'{"value": 1.50}', Limits())
        ({'value': 1.5}, b'{"value":1.50}')
    """
    if len(raw) > limits.resource_bytes:
        raise Rejected("too-large", f"expected at most {limits.resource_bytes} bytes")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _bad_json(raw, error) from None
    # What comes out of the parser again byte by byte has neither a repeated key nor superfluous whitespace.
    try:
        again = orjson.dumps(found)
    except orjson.JSONEncodeError:
        raise Rejected("too-deep", f"expected at most {DEEPEST} levels") from None
    text = raw
    if again != raw:
        text = raw if _is_compact(raw, again) else msgspec.json.format(raw, indent=-1)
        escaped = b"\\u" in text and re.search(rb"\\u00(?:22|3[aA])", text)
        if escaped or text.count(b'":') != again.count(b'":'):
            _refuse_duplicate_keys(text)
    return found, text


def _is_compact(raw: bytes, again: bytes) -> bool:
    """Whether no whitespace stands between tokens: each blank of the text is one inside the parsed strings."""
    return raw.count(b" ") == again.count(b" ") and not any(sign in raw for sign in (b"\n", b"\t", b"\r", b"\\u"))


def _bad_json(raw: bytes, error: orjson.JSONDecodeError) -> Rejected:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as broken:
        return Rejected("invalid-utf8", f"expected UTF-8 at byte {broken.start}")
    if "depth" in error.msg or "ecursion" in error.msg:
        return Rejected("too-deep", f"expected at most {DEEPEST} levels")
    return Rejected("invalid-json", f"expected JSON at character {error.pos}")


def _bad_id(found: dict[str, Any]) -> Rejected:
    if "id" not in found:
        return Rejected("missing-id", "expected the element id")
    if type(found["id"]) is not str:
        return Rejected("wrong-type", "expected a string at $.id")
    return Rejected("invalid-id", "expected 1 to 64 letters, digits, '-' or '.' at $.id")


def _bad_shape(error: msgspec.ValidationError) -> Rejected:
    """The message of msgspec names types and the path, never a value."""
    message = str(error)
    if message.startswith("Invalid "):
        return Rejected("invalid-date", message)
    if "required field" in message:
        return Rejected("missing-element", message)
    if "out of range" in message:
        return Rejected("out-of-range", message)
    return Rejected("wrong-type", message)


def _refuse_duplicate_keys(text: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise Rejected("duplicate-key", f"expected each key once in an object of {len(items)} keys")
        return found

    try:
        json.loads(text, object_pairs_hook=pairs)
    except RecursionError:
        raise Rejected("too-deep", f"expected at most {DEEPEST} levels") from None


def _refuse_null(found: dict[str, Any]) -> None:
    """FHIR has no null, but in a list of primitives beside the list of their extensions (JSON, 2.6.2.3)."""
    waiting: list[tuple[str, Any]] = [("$", found)]
    while waiting:
        path, node = waiting.pop()
        for name, value in node.items():
            here = f"{path}.{name}" if len(name) < 64 and name.isidentifier() else path
            if value is None:
                raise Rejected("wrong-type", f"expected no null at {here}")
            if type(value) is dict:
                waiting.append((here, value))
            elif type(value) is list:
                if None in value and not name.startswith("_") and f"_{name}" not in node:
                    raise Rejected("wrong-type", f"expected no null at {here}[]")
                waiting.extend((f"{here}[]", item) for item in value if type(item) is dict)


def _updated(found: dict[str, Any]) -> int | None:
    meta = found.get("meta")
    when = meta.get("lastUpdated") if meta else None
    return microseconds(when) if when else None


def _unknown(resource_type: str, found: dict[str, Any]) -> tuple[str, ...]:
    """Elements that R4 does not know: of another release, or misspelt; types of R4B are not looked at."""
    known = json_names(resource_type)
    if not known or found.keys() <= known:
        return ()
    return tuple(sorted(_shown(name) for name in found if name.removeprefix("_") not in known))


def _shown(name: str) -> str:
    """A name that can be printed: a key can hold anything."""
    return name if len(name) <= 40 and name.isascii() and name.replace("_", "").isalnum() else "(other)"
