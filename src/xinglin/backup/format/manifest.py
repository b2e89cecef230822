"""The manifest of one backup: public facts, sufficient to verify that all bytes are present.

The root is the RFC 6962 root over the SHA-256 of each object in order, so a copy can be verified against the ledger
without a key. The ``seal`` is an HMAC with the repository's secret: only the region and the recipients of its backups
can create it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from xinglin.core.errors import BadInput, VerificationFailed
from xinglin.core.merkle import leaf_hash, root_of

__all__ = ["FORMAT", "Manifest", "repository_of", "root_over"]

FORMAT = "xinglin backup 1"


def repository_of(secret: bytes) -> str:
    """Name of the repository of a secret.

    Example:
        >>> repository_of(bytes(32))
        'f4676f8dd230f550'
    """
    return hashlib.sha256(b"xinglin backup repository 1\x00" + secret).hexdigest()[:16]


def root_over(objects: list[str]) -> str:
    """The RFC 6962 root over objects' digests, in hex.

    Example:
        >>> root_over([])
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return root_of([leaf_hash(bytes.fromhex(name)) for name in objects]).hex()


@dataclass(frozen=True)
class Manifest:
    """One backup.

    Args:
        name: ``<repository>-<sequence>``.
        repository: Name of the repository.
        sequence: Number of the backup, from 1.
        made: Time of creation, ISO 8601.
        key: Name of the recipients.
        objects: SHA-256 (hex) and size of each object: content first, then catalogue.
        catalogue: Number of catalogue objects.
        files: Number of files.
        length: Total size of the files in bytes.
        stored: Bytes added by this backup.
        root: RFC 6962 root over the objects, in hex.
        previous: Root of the previous backup; None for the first.
        seal: HMAC-SHA-256 over the rest, in hex.
    """

    name: str
    repository: str
    sequence: int
    made: str
    key: str
    objects: tuple[tuple[str, int], ...]
    catalogue: int
    files: int
    length: int
    stored: int
    root: str
    previous: str | None
    seal: str = ""

    @property
    def content(self) -> bytes:
        """Canonical bytes: sorted keys, no whitespace."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":"))
        return text.encode()

    @property
    def names(self) -> list[str]:
        """The objects' digests in order."""
        return [name for name, _ in self.objects]

    @property
    def size(self) -> int:
        """Total size of the objects in bytes."""
        return sum(size for _, size in self.objects)

    def sealed(self, secret: bytes) -> Manifest:
        """A copy with its seal."""
        return replace(self, seal=_seal(secret, replace(self, seal="").content))

    def check(self, where: str, secret: bytes | None = None) -> None:
        """Check the root, and with the secret also the seal.

        Raises:
            VerificationFailed: Root or seal is wrong.
        """
        if root_over(self.names) != self.root:
            raise VerificationFailed("the root of the manifest does not match its objects", source=where)
        if secret is None:
            return
        if not hmac.compare_digest(self.seal, self.sealed(secret).seal):
            raise VerificationFailed(
                "the seal of the manifest is invalid: another repository wrote it, or it was changed", source=where
            )

    @classmethod
    def read(cls, data: bytes, where: str) -> Manifest:
        """Read a manifest from its canonical bytes.

        Raises:
            BadInput: The bytes are not a manifest of this format.
        """
        try:
            values: dict[str, Any] = json.loads(data)
            if values.pop("format") != FORMAT:
                raise ValueError
            objects = tuple((str(name), int(size)) for name, size in values.pop("objects"))
            found = cls(objects=objects, **values)
            if found.content != data:
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                "the manifest cannot be read",
                source=where,
                remedy="use the version of Xinglin that wrote it",
            ) from error
        return found


def _seal(secret: bytes, content: bytes) -> str:
    return hmac.digest(secret, b"xinglin backup manifest 1\x00" + content, "sha256").hex()
