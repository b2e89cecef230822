"""Keyed hashes of erased resources, which must not land again.

Without the region's key ``keys/erased.key`` the hashes reveal nothing. With the key one can only test whether a
resource of a known site, type and id was erased.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from xinglin.core.files import private_file
from xinglin.sources import Record, Rejected

__all__ = ["ErasedHashes", "erased_key", "read_erased_hashes"]

_SIZE = 16
_NAMED = re.compile(rb"Patient/([A-Za-z0-9.-]{1,64})").findall


@dataclass(frozen=True)
class ErasedHashes:
    """The erased resources of one site.

    Args:
        site: The site.
        key: The region's key.
        hashes: Keyed hashes of the erased resources.

    Example:
        >>> gone = ErasedHashes("mercy", bytes(32), frozenset()).plus([("Patient", "p1")])
        >>> gone.holds("Patient", "p1", None), gone.holds("Observation", "new", "p1"), gone.holds("Patient", "p2", "p2")
        (True, True, False)
    """

    site: str
    key: bytes
    hashes: frozenset[bytes]

    def hash(self, resource_type: str, resource_id: str) -> bytes:
        """The keyed hash of a resource."""
        return blake2b(f"{self.site}/{resource_type}/{resource_id}".encode(), key=self.key, digest_size=_SIZE).digest()

    def holds(self, resource_type: str, resource_id: str, patient_id: str | None) -> bool:
        """Whether a resource, or the patient it is about, was erased."""
        if patient_id is not None and self.hash("Patient", patient_id) in self.hashes:
            return True
        return self.hash(resource_type, resource_id) in self.hashes

    def owns(self, record: Record) -> bool:
        """Whether a record's resource or patient was erased; if unreadable, whether it names an erased Patient."""
        found = record.found
        if isinstance(found, Rejected):
            return self.names_erased(record.raw)
        return self.holds(found.resource_type, found.resource_id, found.patient_id)

    def names_erased(self, text: bytes) -> bool:
        """Whether a text names an erased Patient."""
        return any(self.holds("Patient", one.decode(), None) for one in set(_NAMED(text)))

    def plus(self, resources: Iterable[tuple[str, str]]) -> ErasedHashes:
        """The same with these resources added, by type and id."""
        return ErasedHashes(self.site, self.key, self.hashes | {self.hash(*one) for one in resources})

    @property
    def content(self) -> bytes:
        """The stored form: 16 bytes a resource, sorted."""
        return b"".join(sorted(self.hashes))


def erased_key(path: Path) -> bytes:
    """The region's key for erased resources; created at first use."""
    if not path.is_file():
        private_file(path, os.urandom(32).hex().encode() + b"\n")
    return bytes.fromhex(path.read_text().strip())


def read_erased_hashes(site: str, path: Path, key: Path) -> ErasedHashes | None:
    """The erased resources of a site, which must not land again; None if nothing was erased.

    Args:
        site: The site.
        path: The site's file of hashes.
        key: The file of the region's key.
    """
    if not path.is_file():
        return None
    data = path.read_bytes()
    return ErasedHashes(site, erased_key(key), frozenset(data[at : at + _SIZE] for at in range(0, len(data), _SIZE)))
