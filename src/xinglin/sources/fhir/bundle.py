"""The entries of a Bundle, each as the text of one resource whose references say ``Type/id``.

References: https://hl7.org/fhir/R4/bundle.html#references. The text is cut and rewritten, not parsed and printed
again, so numbers stay as they were written.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import orjson
from msgspec import UNSET, Raw, Struct, UnsetType

from xinglin.sources.fhir.check import parse
from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected

__all__ = ["entries"]

_URN = re.compile(r"urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})").fullmatch
_TAIL = re.compile(r".*/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?").fullmatch
_REFERENCE = re.compile(rb'"reference":"((?:urn:|https?:)[^"]*)"')


class _Request(Struct, gc=False):
    method: str | UnsetType = UNSET


class _Entry(Struct, gc=False):
    fullUrl: str | UnsetType = UNSET  # noqa: N815 - the standard's word
    resource: Raw | UnsetType = UNSET
    request: _Request | UnsetType = UNSET


class _Bundle(Struct, gc=False):
    resourceType: Any = None  # noqa: N815 - the standard's word
    type: str | UnsetType = UNSET
    entry: list[_Entry] | UnsetType = UNSET


class _Name(Struct, gc=False):
    resourceType: Any = None  # noqa: N815 - the standard's word
    id: Any = None


_ENVELOPE = msgspec.json.Decoder(_Bundle)
_NAME = msgspec.json.Decoder(_Name)


def entries(data: bytes, limits: Limits) -> list[tuple[int, bytes | Rejected]] | None:
    """The resources of a Bundle with their entry numbers, references rewritten.

    A history Bundle lists the newest version first, so its entries come in reverse.

    Args:
        data: A JSON document.
        limits: The largest document.

    Returns:
        Entry numbers from 1 and resource texts, or why an entry holds none; None when it is no Bundle.

    Raises:
        Rejected: The document is not JSON to its end, or not a Bundle that can be read.

    Example:
        >>> entries(b'{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:0c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f11",'
        ...         b'"resource":{"resourceType":"Patient"}}]}', Limits())
        [(1, b'{"id":"0c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f11","resourceType":"Patient"}')]
    """
    if len(data) > limits.document_bytes:
        raise Rejected("too-large", f"expected a document of at most {limits.document_bytes} bytes")
    bundle = _envelope(data, limits)
    if bundle is None:
        return None
    found = list(bundle.entry or ())
    targets = [_target(entry) for entry in found]
    known = {
        str(entry.fullUrl).encode(): f"{target[0]}/{target[1]}".encode()
        for entry, target in zip(found, targets, strict=True)
        if target and entry.fullUrl
    }
    numbered = list(enumerate(zip(found, targets, strict=True), 1))
    if bundle.type == "history":
        numbered.reverse()
    return [(number, _resource(entry, target, known)) for number, (entry, target) in numbered]


def _envelope(data: bytes, limits: Limits) -> _Bundle | None:
    try:
        bundle = _ENVELOPE.decode(data)
    except (msgspec.ValidationError, RecursionError):
        whole = _whole(data, limits)
        if whole.get("resourceType") == "Bundle":
            raise Rejected("wrong-type", "expected a Bundle with a list of entries") from None
        return None
    except msgspec.DecodeError:
        _whole(data, limits)
        raise Rejected("invalid-json", "expected a JSON document") from None
    if bundle.resourceType != "Bundle":
        return None
    _refuse_repeated_keys(data, bundle, limits)
    return bundle


def _whole(data: bytes, limits: Limits) -> dict[str, Any]:
    """The whole document, or the reason and position at which it stops being JSON."""
    try:
        whole = orjson.loads(data)
    except orjson.JSONDecodeError:
        parse(data, Limits(resource_bytes=limits.document_bytes))
        raise
    return whole if type(whole) is dict else {}


def _refuse_repeated_keys(data: bytes, bundle: _Bundle, limits: Limits) -> None:
    """Check what stands around the resources: they themselves are checked one by one."""
    outside, start = [], 0
    for entry in bundle.entry or ():
        if entry.resource:
            text = bytes(entry.resource)
            here = _place(data, text, start)
            outside.append(data[start:here])
            start = here + len(text)
    outside.append(data[start:])
    parse(b"0".join(outside), Limits(resource_bytes=limits.document_bytes))


def _place(data: bytes, text: bytes, start: int) -> int:
    """Where a resource stands; a short beginning is sought first, since searching for a long text is slow."""
    beginning = text[:40]
    here = data.index(beginning, start)
    while not data.startswith(text, here):
        here = data.index(beginning, here + 1)
    return here


def _target(entry: _Entry) -> tuple[str, str, bool] | None:
    """Type and id that an entry's fullUrl stands for, and whether the id has to be written into the resource."""
    if not entry.resource:
        return None
    try:
        name = _NAME.decode(entry.resource)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if not isinstance(name.resourceType, str):
        return None
    if name.id is not None:
        return (name.resourceType, name.id, False) if isinstance(name.id, str) else None
    if not entry.fullUrl:
        return None
    urn, tail = _URN(entry.fullUrl), _TAIL(entry.fullUrl)
    if urn:
        return name.resourceType, urn[1], True
    if tail and tail[1] == name.resourceType:
        return name.resourceType, tail[2], True
    return None


def _resource(entry: _Entry, target: tuple[str, str, bool] | None, known: dict[bytes, bytes]) -> bytes | Rejected:
    if not entry.resource:
        method = entry.request.method if entry.request else UNSET
        if method == "DELETE":
            return Rejected("unsupported-request", "expected an entry that brings a resource, found a DELETE")
        return Rejected("missing-resource", "expected the element resource")
    raw = bytes(entry.resource)
    try:
        text = msgspec.json.format(raw, indent=-1)
    except (msgspec.MsgspecError, RecursionError):
        return raw
    if target and target[2] and text[:1] == b"{":
        text = b'{"id":"' + target[1].encode() + b'",' + text[1:]

    def rewritten(match: re.Match[bytes]) -> bytes:
        name = known.get(match[1].replace(b"\\/", b"/"))
        return match[0] if name is None else b'"reference":"' + name + b'"'

    return _REFERENCE.sub(rewritten, text)
