"""The landing of a region: its sites, their batches and the files in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from xinglin.core.errors import Conflict, NotFound, UsageError
from xinglin.core.files import private_file, write_atomic
from xinglin.core.permit import CLOSED, Permit
from xinglin.landing.erased_hashes import ErasedHashes, read_erased_hashes
from xinglin.landing.known import Known
from xinglin.landing.manifest import canonical, digest, new_key, public_key
from xinglin.landing.tombstone import Change, merged, read_tombstones

__all__ = ["KINDS", "REGISTRY", "STAGE", "Batch", "Counts", "LandedFile", "Landing", "Site"]

STAGE = "landing"
"""Name of batches, spools and originals in a permit."""
REGISTRY = "sites"
"""Name of the registry of sites in a permit: names, public keys, inboxes."""
KINDS = ("hospital", "health-centre", "clinic", "exam-centre", "unspecified")
_SITE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}").fullmatch


@dataclass(frozen=True)
class Site:
    """An institution that sends records.

    Args:
        name: Short name.
        kind: One of `KINDS`.
        public_key: Verifies its batches.
        inbox: Folder, file or database that `xinglin run` ingests from.
        format: Format of its files; ``auto`` recognises it from the content.
        mapping: SHA-256 of the mapping file for its records.
    """

    name: str
    kind: str
    public_key: str
    inbox: str | None = None
    format: str = "auto"
    mapping: str | None = None


@dataclass(frozen=True)
class LandedFile:
    """One file of resources of one type.

    Args:
        site: Site that sent it.
        batch: Sequence of the batch.
        name: Its name in the batch.
        path: Its path.
        resource_type: FHIR resource type.
        rows: Resources in it, superseded and erased ones included.
        sha256: Digest of its bytes.
        conditional_references: How many resources refer to others by a search.
        erased: How many rows are empty because the resource was erased.
        superseded: Rows, from 0, that a later version replaced or that were erased; `Landing.superseded` lists them.
    """

    site: str
    batch: int
    name: str
    path: Path
    resource_type: str
    rows: int
    sha256: str
    conditional_references: int
    erased: int = 0
    superseded: tuple[int, ...] = ()


@dataclass(frozen=True)
class Counts:
    """received = landed + duplicate + quarantined."""

    received: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.received + other.received,
            self.landed + other.landed,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True)
class Batch:
    """One signed batch of a site.

    Args:
        site: The site.
        sequence: Its number, from 1.
        path: Its folder.
        change: Changes by tombstones; None if nothing was erased.
    """

    site: str
    sequence: int
    path: Path
    change: Change | None = field(default=None, compare=False)

    @cached_property
    def manifest_bytes(self) -> bytes:
        """The manifest as it was signed."""
        return (self.path / "manifest.json").read_bytes()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as JSON."""
        manifest: dict[str, Any] = json.loads(self.manifest_bytes)
        return manifest

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest as first signed; the next batch refers to this one by it."""
        return self.change.manifest if self.change and self.change.redacted else digest(self.manifest_bytes)

    def erased(self, name: str) -> tuple[int, ...]:
        """Rows of a file that were erased."""
        file = self.change.files.get(name) if self.change else None
        return file.rows if file else ()

    def files(self, resource_type: str | None = None) -> list[LandedFile]:
        """The files of resources, in order of their names."""
        now = self.change.files if self.change else {}
        return [
            LandedFile(
                site=self.site,
                batch=self.sequence,
                name=entry["name"],
                path=self.path / entry["name"],
                resource_type=entry["resource_type"],
                rows=entry["rows"],
                sha256=now[entry["name"]].sha256 if entry["name"] in now else entry["sha256"],
                conditional_references=entry["conditional_references"],
                erased=len(self.erased(entry["name"])),
            )
            for entry in self.manifest["files"]
            if entry["role"] == "resource" and resource_type in (None, entry["resource_type"])
        ]


class Landing:
    """The landing folder: ``<site>/site.json`` and ``<site>/batch-000001/`` and so on.

    Names and public keys of sites need no permit: verification needs them, and they contain nothing of a patient.
    Everything else checks the permit.

    Args:
        root: The folder; it may not exist yet.
        keys: The folder of the sites' private keys; ``keys`` beside `root` if not given.
        permit: Permit for `STAGE` (batches) and `REGISTRY` (what is registered of sites).

    Example:
        >>> import tempfile
        >>> from xinglin.core.permit import OPEN
        >>> landing = Landing(Path(tempfile.mkdtemp()) / "landing", permit=OPEN)
        >>> landing.add_site("mercy", "hospital").kind
        'hospital'
        >>> [site.name for site in landing.sites()], landing.files()
        (['mercy'], [])
    """

    def __init__(self, root: Path, keys: Path | None = None, permit: Permit = CLOSED) -> None:
        self.root = root
        self.permit = permit
        self.keys = keys or root.parent / "keys"
        self._known: dict[str, Known] = {}

    def sites(self) -> list[Site]:
        """All registered sites, by name."""
        return [Site(**json.loads(path.read_bytes())) for path in sorted(self.root.glob("*/site.json"), key=str)]

    def site(self, name: str) -> Site:
        """One site.

        Raises:
            NotFound: No site has that name.
        """
        path = self.folder(name) / "site.json"
        if not path.is_file():
            raise NotFound(
                "the site does not exist", source=name, remedy=f"run: xinglin site add {name} --kind hospital"
            )
        return Site(**json.loads(path.read_bytes()))

    def add_site(self, name: str, kind: str, inbox: str | None = None, seed: bytes | None = None) -> Site:
        """Register a site and make its signing key.

        Args:
            name: Short name; it becomes part of every key of the site's rows.
            kind: One of `KINDS`.
            inbox: Folder that `xinglin run` searches for new files.
            seed: 32 bytes to derive the key from, for reproducible examples; random if not given.

        Raises:
            UsageError: The name or the kind is not valid.
            Conflict: The site exists.
            AccessDenied: The registry may not be written.
        """
        self.permit.require(REGISTRY, write=True)
        if kind not in KINDS:
            raise UsageError("unknown kind of site", source=kind, remedy=f"use one of {', '.join(KINDS)}")
        folder = self.folder(name)
        if (folder / "site.json").exists():
            raise Conflict("the site already exists", source=name, remedy="choose another name")
        folder.mkdir(parents=True, exist_ok=True)
        if not self.key_path(name).exists():
            private_file(self.key_path(name), new_key(seed).hex().encode() + b"\n")
        return self.write_site(Site(name=name, kind=kind, public_key=public_key(self._key(name)), inbox=inbox))

    def write_site(self, site: Site) -> Site:
        """Replace what is registered of a site.

        Raises:
            AccessDenied: The registry may not be written.
        """
        self.permit.require(REGISTRY, write=True)
        write_atomic(self.folder(site.name) / "site.json", canonical(vars(site)) + b"\n")
        return site

    def keep_mapping(self, site: str, text: str) -> str:
        """Store a mapping file for a site's records.

        Returns:
            Its SHA-256; manifests and the registry refer to it by this.

        Raises:
            AccessDenied: No batch may be written.
        """
        self.permit.require(STAGE, write=True)
        content = text.encode()
        name = digest(content)
        path = self.folder(site) / "mappings" / f"{name}.yaml"
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, content)
        return name

    def mapping(self, site: str, name: str) -> str:
        """The text of a stored mapping file.

        Raises:
            NotFound: It was never stored, or it was deleted.
        """
        path = self.folder(site) / "mappings" / f"{name}.yaml"
        try:
            return path.read_text("utf-8")
        except OSError:
            raise NotFound(
                "the site's mapping file does not exist", source=str(path), remedy="restore it from a backup"
            ) from None

    def folder(self, site: str) -> Path:
        """The folder of a site.

        Raises:
            UsageError: The name is not valid for a site.
        """
        if not _SITE_NAME(site):
            raise UsageError(
                "a site's name has 1 to 63 letters, digits, '-', '_' or '.', and begins with a letter or digit",
                source=repr(site)[:80],
                remedy="choose another name",
            )
        return self.root / site

    def key_path(self, site: str) -> Path:
        """The file of a site's private key."""
        return self.keys / f"{site}.key"

    def signing_key(self, site: str) -> bytes:
        """The site's private key.

        Raises:
            NotFound: The key file does not exist; batches can be verified, but not added.
            AccessDenied: No batch may be written.
        """
        self.permit.require(STAGE, write=True)
        return self._key(site)

    def _key(self, site: str) -> bytes:
        path = self.key_path(site)
        if not path.is_file():
            raise NotFound("the site's signing key does not exist", source=str(path), remedy="restore it from a backup")
        return bytes.fromhex(path.read_text().strip())

    def batches(self, site: str) -> list[Batch]:
        """The batches of a site, oldest first.

        Raises:
            AccessDenied: Batches may not be read.
        """
        self.permit.require(STAGE)
        paths = sorted(self.folder(site).glob("batch-[0-9]*"), key=lambda path: int(path.name[6:]))
        changes = merged(read_tombstones(self.folder(site)))
        return [Batch(site, number, path, changes.get(number)) for path in paths for number in [int(path.name[6:])]]

    def erased_hashes(self, site: str) -> ErasedHashes | None:
        """The erased resources of a site, which must not land again; None if nothing was erased."""
        return read_erased_hashes(site, self.folder(site) / "erased", self.keys / "erased.key")

    def known(self, site: str) -> Known:
        """Files the site sent before; only manifests of batches since the last call are read."""
        known = self._known.setdefault(site, Known())
        for batch in self.batches(site):
            if batch.sequence > known.last:
                known.learn(batch.sequence, batch.manifest, batch.change.sources if batch.change else frozenset())
        return known

    def changed(self, site: str) -> None:
        """Forget what is cached of a site, since its files changed."""
        self._known.pop(site, None)

    def spool(self, site: str) -> Path:
        """The folder of what live feeds received and is not landed yet.

        Raises:
            AccessDenied: No batch may be written.
        """
        self.permit.require(STAGE, write=True)
        return self.folder(site) / "spool"

    def all_batches(self) -> Iterator[Batch]:
        """The batches of all sites, in order of site and sequence."""
        for site in self.sites():
            yield from self.batches(site.name)

    def files(self, resource_type: str | None = None, site: str | None = None) -> list[LandedFile]:
        """The files of resources in (site, batch, name) order, each with its superseded rows.

        Args:
            resource_type: Only files of this type.
            site: Only this site's.
        """
        batches = self.batches(site) if site else list(self.all_batches())
        gone = _superseded(batches)
        return [
            replace(file, superseded=tuple(gone.get((file.site, file.batch, file.name), ())))
            for batch in batches
            for file in batch.files(resource_type)
        ]

    def superseded(self, site: str | None = None) -> dict[tuple[str, int, str], list[int]]:
        """Rows that were replaced by a later version or erased, by (site, batch, file name).

        Args:
            site: Only this site's.
        """
        return _superseded(self.batches(site) if site else self.all_batches())

    def erased(self) -> dict[str, int]:
        """How many landed resources of each site were erased."""
        return {
            site.name: sum(len(batch.erased(file.name)) for batch in self.batches(site.name) for file in batch.files())
            for site in self.sites()
        }

    def counts(self) -> dict[str, Counts]:
        """Counts of each site: received = landed + duplicate + quarantined."""
        total = {site.name: Counts() for site in self.sites()}
        for batch in self.all_batches():
            total[batch.site] += Counts(**batch.manifest["counts"])
        return total


def _superseded(batches: Iterable[Batch]) -> dict[tuple[str, int, str], list[int]]:
    """Rows that a later version replaced, or that were erased, by (site, batch, file name)."""
    import pyarrow.parquet as pq

    rows: dict[tuple[str, int, str], list[int]] = {}
    for batch in batches:
        if any(entry["role"] == "superseded" for entry in batch.manifest["files"]):
            table = pq.read_table(batch.path / "superseded.parquet", columns=["batch", "file", "row"])
            columns = (table[name].to_pylist() for name in ("batch", "file", "row"))
            for sequence, file, row in zip(*columns, strict=True):
                rows.setdefault((batch.site, sequence, file), []).append(row)
        for file in batch.files() if batch.change else ():
            rows.setdefault((batch.site, batch.sequence, file.name), []).extend(batch.erased(file.name))
    return {place: sorted(set(rows[place])) for place in sorted(rows) if rows[place]}
