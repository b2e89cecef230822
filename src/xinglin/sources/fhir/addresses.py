"""Which resource an entry of a Bundle is, and which resource a reference in it names.

An entry is identified by its fullUrl, not by the id that its resource carries (https://hl7.org/fhir/R4/bundle.html#references);
the id of a resource that is POSTed is ignored (http.html#create). An id is unique on one server only, so a reference to
another server never names a resource of this one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

__all__ = ["Address", "Addresses", "Identity", "Named", "address_of", "local_id", "own_root", "urn_id"]

_ID = r"[A-Za-z0-9\-.]{1,64}"
_URN = re.compile(r"urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})|urn:oid:([0-9.]{1,64})").fullmatch
_TAIL = re.compile(rf"(?:(.*)/)?([A-Z][A-Za-z]+)/({_ID})(?:/_history/{_ID})?(?:#.*)?").fullmatch
_GLOBAL = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}").fullmatch


@dataclass(frozen=True)
class Address:
    """Where a RESTful URL points.

    Args:
        root: Base of the server, in a form that compares; empty for a relative reference.
        resource_type: Type of the resource.
        resource_id: Its id on that server.
    """

    root: str
    resource_type: str
    resource_id: str


def address_of(url: str) -> Address | None:
    """The parts of ``[base/]Type/id[/_history/version]``; None for any other form.

    Example:
        >>> address_of("HTTPS://H.example.org:443/fhir/Patient/1/_history/2")
        Address(root='h.example.org/fhir', resource_type='Patient', resource_id='1')
        >>> address_of("Patient/1").root, address_of("urn:uuid:1")
        ('', None)
    """
    match = _TAIL(url)
    if match is None:
        return None
    root = match[1] or ""
    if "://" in root:
        try:
            parts = urlsplit(root)
            port = parts.port
        except ValueError:
            return None
        # http and https of one host are one server, and so is its name in capital letters.
        host = (parts.hostname or "") + ("" if port in (None, 80, 443) else f":{port}")
        root = host + parts.path.rstrip("/")
    elif root:
        return None
    return Address(root, match[2], match[3])


def urn_id(url: str) -> str | None:
    """The UUID or OID of a ``urn:uuid:`` or ``urn:oid:``, which is the id of what it names.

    Example:
        >>> urn_id("urn:oid:1.2.3"), urn_id("urn:uuid:"), urn_id("urn:uuid:0C6B9BD5-6d3c-4f0f-9ee5-3d1a0a2b6f11")
        ('1.2.3', None, '0C6B9BD5-6d3c-4f0f-9ee5-3d1a0a2b6f11')
    """
    match = _URN(url)
    return (match[1] or match[2]) if match else None


def local_id(*words: str) -> str:
    """An id made of what a resource is called elsewhere; the same words give the same id.

    Example:
        >>> local_id("other.example.org/fhir", "Patient", "1")
        'x-58e513ad531d60938ce4c755dda3d683'
    """
    return f"x-{sha256('/'.join(words).encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class Named:
    """What an entry says about its identity.

    Args:
        number: Number of the entry, from 1.
        resource_type: Type of its resource.
        carried: The id that the resource carries; None where it has none.
        full_url: ``entry.fullUrl``.
        method: ``entry.request.method``.
        target: ``entry.request.url``.
    """

    number: int
    resource_type: str
    carried: str | None
    full_url: str = ""
    method: str = ""
    target: str = ""


@dataclass(frozen=True)
class Identity:
    """Who an entry is.

    Args:
        resource_type: Type of its resource.
        resource_id: The id under which the resource is landed.
        carried: The id that the resource carries; None where it has none.
        root: Server that it is from; empty where the entry does not say.
    """

    resource_type: str
    resource_id: str
    carried: str | None
    root: str = ""

    @property
    def name(self) -> str:
        """``Type/id`` as landed."""
        return f"{self.resource_type}/{self.resource_id}"


@dataclass
class Addresses:
    """The names that are known in one Bundle.

    Args:
        own: Server that the Bundle shows as its own; empty where it shows none.
        digest: Gives a digest of the whole Bundle, for ids that are unique within it only.
        served: Whether it is a server's answer (searchset, history), so that resources carry their ids on the server.
        known: ``Type/id`` as landed, by fullUrl without version.
        carried: ``Type/id`` as landed, by the ``Type/id`` that an entry carries; None where several entries carry the
            same one.
        renamed: Whether an entry is landed under another id than it carries.
    """

    own: str
    digest: Callable[[], str]
    served: bool = False
    known: dict[str, str] = field(default_factory=dict)
    carried: dict[str, str | None] = field(default_factory=dict)
    renamed: bool = False

    def identify(self, entry: Named) -> Identity | None:
        """Who an entry is; None where nothing names it.

        Example:
            >>> Addresses("", str).identify(Named(1, "Patient", "1", "urn:oid:1.2.3", "POST")).name
            'Patient/1.2.3'
        """
        kind, carried, method = entry.resource_type, entry.carried, entry.method
        urn, at = urn_id(entry.full_url), address_of(entry.full_url)
        at = at if at and at.resource_type == kind else None
        put = address_of(entry.target) if method == "PUT" else None
        if put and put.resource_type == kind:
            return Identity(kind, put.resource_id, carried, at.root if at else "")
        if urn and not (carried and self._keeps(carried, entry)):
            return Identity(kind, urn, carried)
        if at and at.root:
            if self.own and at.root != self.own:
                return Identity(kind, local_id(at.root, kind, at.resource_id), carried, at.root)
            return Identity(kind, at.resource_id, carried, at.root)
        if method == "POST" and not (carried and _GLOBAL(carried)):
            return Identity(kind, local_id(self.digest(), kind, str(entry.number)), carried)
        own_id = carried or (at.resource_id if at else None)
        return Identity(kind, own_id, carried) if own_id else None

    def _keeps(self, carried: str, entry: Named) -> bool:
        """Whether a resource keeps the id it carries though its fullUrl is another one."""
        if entry.method == "PUT":
            return "?" not in entry.target
        return entry.method != "POST" and (self.served or _GLOBAL(carried) is not None)

    def add(self, identity: Identity, full_url: str) -> None:
        """Make an entry known to the references of the Bundle."""
        if full_url:
            self.known[_versionless(full_url)] = identity.name
        if identity.carried and not identity.root:
            carried = f"{identity.resource_type}/{identity.carried}"
            self.renamed = self.renamed or carried != identity.name
            same = self.carried.setdefault(carried, identity.name) == identity.name
            self.carried[carried] = identity.name if same else None

    def resolve(self, reference: str, root: str) -> str | None:
        """``Type/id`` as landed of what a reference names; None where it stays as it is written.

        Args:
            reference: ``Reference.reference``.
            root: Server of the entry it stands in, to which a relative reference is relative.
        """
        if known := self.known.get(_versionless(reference)):
            return known
        at = address_of(reference)
        if at is None:
            return None
        name = f"{at.resource_type}/{at.resource_id}"
        if not at.root and self.renamed and name in self.carried:
            return self.carried[name] or f"{at.resource_type}/{local_id(self.digest(), name)}"
        server = at.root or root
        if server and self.own and server != self.own:
            return f"{at.resource_type}/{local_id(server, at.resource_type, at.resource_id)}"
        return name if at.root and self.own else None


def own_root(full_urls: Iterable[str], self_link: str) -> str:
    """The server that a Bundle comes from: the one of its self link, else the one most entries are from.

    Args:
        full_urls: Of the entries.
        self_link: ``Bundle.link`` with relation ``self``.

    Example:
        >>> own_root(["https://a/fhir/Patient/1", "https://b/fhir/Patient/1"], "https://b/fhir/Patient?name=x")
        'b/fhir'
    """
    counted = Counter(at.root for url in full_urls if (at := address_of(url)) and at.root)
    here = self_link.partition("://")[2]
    linked = [root for root in counted if here.lower().startswith((root.lower() + "/", root.lower() + "?"))]
    if linked:
        return max(linked, key=len)
    return min(counted, key=lambda root: (-counted[root], root), default="")


def _versionless(url: str) -> str:
    return url.partition("/_history/")[0]
