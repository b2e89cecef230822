"""The entries of a Bundle, each as the text of one resource whose references say ``Type/id``.

References: https://hl7.org/fhir/R4/bundle.html#references. The text is cut and rewritten, not parsed and printed
again, so numbers stay as they were written.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec
import orjson
from msgspec import UNSET, Raw, Struct, UnsetType

from xinglin.sources.fhir.addresses import Addresses, Identity, Named, own_root
from xinglin.sources.fhir.check import parse
from xinglin.sources.fhir.deletion import deletion
from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected, Resource

__all__ = ["Found", "entries", "is_bundle"]

_REFERENCE = re.compile(rb'"reference":"([^"]*)"')
_ABSOLUTE = re.compile(rb'"reference":"((?:urn:|https?:)[^"]*)"')
_DEEPEST = 8

Found = bytes | Resource | Rejected
"""What an entry holds: the text of a resource, that one was deleted, or why there is neither."""


class _Request(Struct, gc=False):
    method: str | UnsetType = UNSET
    url: str | UnsetType = UNSET


class _Response(Struct, gc=False):
    lastModified: Any = None  # noqa: N815 - the standard's word


class _Entry(Struct, gc=False):
    fullUrl: str | UnsetType = UNSET  # noqa: N815 - the standard's word
    resource: Raw | UnsetType = UNSET
    request: _Request | UnsetType = UNSET
    response: _Response | UnsetType = UNSET


class _Link(Struct, gc=False):
    relation: Any = None
    url: Any = None


class _Meta(Struct, gc=False):
    lastUpdated: Any = None  # noqa: N815 - the standard's word


class _Bundle(Struct, gc=False):
    resourceType: Any = None  # noqa: N815 - the standard's word
    type: str | UnsetType = UNSET
    meta: _Meta | UnsetType = UNSET
    link: list[_Link] | UnsetType = UNSET
    entry: list[_Entry] | UnsetType = UNSET


class _Name(Struct, gc=False):
    resourceType: Any = None  # noqa: N815 - the standard's word
    id: Any = None


_ENVELOPE = msgspec.json.Decoder(_Bundle)
_NAME = msgspec.json.Decoder(_Name)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def entries(data: bytes, limits: Limits, depth: int = 0) -> list[tuple[int, Found]] | None:
    """The resources of a Bundle with their entry numbers, references rewritten.

    A history Bundle lists the newest version first, so its entries come in reverse. A Bundle inside an entry is
    unpacked in its place, under the number of that entry.

    Args:
        data: A JSON document.
        limits: The largest document.
        depth: How many Bundles it is inside of.

    Returns:
        Entry numbers from 1 and what each holds; None when it is no Bundle.

    Raises:
        Rejected: The document is not JSON to its end, or not a Bundle that can be read.

    Example:
        >>> entries(b'{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:0c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f11",'
        ...         b'"resource":{"resourceType":"Patient"}}]}', Limits())
        [(1, b'{"id":"0c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f11","resourceType":"Patient"}')]
    """
    if len(data) > limits.document_bytes:
        raise Rejected("too-large", f"expected a document of at most {limits.document_bytes} bytes")
    if depth > _DEEPEST:
        raise Rejected("too-deep", f"expected at most {_DEEPEST} Bundles inside each other")
    bundle = _envelope(data, limits)
    if bundle is None:
        return None
    addresses = _addresses(data, bundle)
    numbered = []
    for number, entry in enumerate(bundle.entry or (), 1):
        named = _named(number, entry)
        identity = addresses.identify(named) if named else None
        if named and identity and named.resource_type != "Bundle":
            addresses.add(identity, named.full_url)
        numbered.append((number, entry, named, identity))
    if bundle.type == "history":
        numbered.reverse()
    found: list[tuple[int, Found]] = []
    for number, entry, named, identity in numbered:
        if named and named.resource_type == "Bundle":
            found += [(number, one) for one in _nested(entry, limits, depth)]
        else:
            found.append((number, _found(entry, identity, addresses, bundle)))
    return found


def is_bundle(data: bytes) -> bool:
    """Whether a JSON object says that it is a Bundle.

    Example:
        >>> is_bundle(b'{"resourceType":"Bundle","type":"batch"}'), is_bundle(b'{"resourceType":"Patient"}')
        (True, False)
    """
    try:
        return bool(_NAME.decode(data).resourceType == "Bundle")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False


def _nested(entry: _Entry, limits: Limits, depth: int) -> list[Found]:
    try:
        return [one for _, one in entries(bytes(entry.resource or b""), limits, depth + 1) or ()]
    except Rejected as rejected:
        return [Rejected(rejected.reason, rejected.detail)]


def _addresses(data: bytes, bundle: _Bundle) -> Addresses:
    @cache
    def digest() -> str:
        return sha256(msgspec.json.format(data, indent=-1)).hexdigest()

    self_link = next((one.url for one in bundle.link or () if one.relation == "self" and isinstance(one.url, str)), "")
    own = own_root((one.fullUrl for one in bundle.entry or () if one.fullUrl), self_link)
    return Addresses(own, digest, served=bundle.type in ("searchset", "history"))


def _named(number: int, entry: _Entry) -> Named | None:
    """What an entry says about its identity; None where it holds nothing that says what it is."""
    if not entry.resource:
        return None
    try:
        name = _NAME.decode(entry.resource)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(name.resourceType, str) or not (name.id is None or isinstance(name.id, str)):
        return None
    method, target = _request(entry)
    return Named(number, name.resourceType, name.id or None, entry.fullUrl or "", method, target)


def _request(entry: _Entry) -> tuple[str, str]:
    if not entry.request:
        return "", ""
    return (entry.request.method or "").upper(), entry.request.url or ""


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


def _found(entry: _Entry, identity: Identity | None, addresses: Addresses, bundle: _Bundle) -> Found:
    method, target = _request(entry)
    if method == "DELETE":
        changed = entry.response.lastModified if entry.response else None
        if changed is None and bundle.meta and bundle.type != "history":
            changed = bundle.meta.lastUpdated  # a file of deletions (Bulk Data 2.0) says it once for all
        return deletion(target, entry.fullUrl or "", changed)
    if method in ("PATCH", "HEAD"):
        return Rejected("unsupported-request", f"expected an entry that brings a whole resource, found a {method}")
    if not entry.resource:
        return Rejected("missing-resource", "expected the element resource")
    return _rewritten(bytes(entry.resource), identity, addresses)


def _rewritten(raw: bytes, identity: Identity | None, addresses: Addresses) -> bytes | Rejected:
    """The text of a resource under the id it is landed under, with references to what the Bundle names."""
    try:
        text = msgspec.json.format(raw, indent=-1)
        if identity and identity.carried is None and text[:1] == b"{":
            text = b'{"id":"' + identity.resource_id.encode() + b'",' + text[1:]
        elif identity and identity.carried != identity.resource_id:
            text = _renamed(text, identity.resource_id)
    except Rejected as rejected:
        return rejected
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return raw
    root = identity.root if identity else ""

    def rewritten(match: re.Match[bytes]) -> bytes:
        reference = match[1].replace(b"\\/", b"/").decode("utf-8", "replace")
        name = addresses.resolve(reference, root)
        return match[0] if name is None else b'"reference":"' + name.encode() + b'"'

    relative = addresses.renamed or (root and root != addresses.own)
    return (_REFERENCE if relative else _ABSOLUTE).sub(rewritten, text)


def _renamed(text: bytes, resource_id: str) -> bytes:
    """The text with another id; a repeated key is refused before it could vanish."""
    parse(text, Limits(resource_bytes=len(text)))
    members = _MEMBERS.decode(text)
    members["id"] = Raw(b'"' + resource_id.encode() + b'"')
    return b"{" + b",".join(msgspec.json.encode(key) + b":" + bytes(one) for key, one in members.items()) + b"}"
