"""The manifest of one backup: what anybody may know of it, and enough to check that every byte is there.

The root is the RFC 6962 root over the SHA-256 of each object in order, so whoever keeps a copy can check it against the
ledger without being able to read it. The ``seal`` is an HMAC with the repository's secret: only the region and those
who can read its backups can make one.
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
    """Name of the repository that a secret belongs to.

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
        sequence: 1 for the first.
        made: When, as ISO 8601 text.
        key: Name of the recipients.
        objects: SHA-256 of each object in hex and its bytes: those of the content, then those of the catalogue.
        catalogue: How many of them hold the catalogue.
        files: Files in the backup.
        length: Their bytes.
        stored: Bytes that this backup added.
        root: RFC 6962 root over the objects, in hex.
        previous: Root of the backup before; None for the first.
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
        """Bytes of all its objects."""
        return sum(size for _, size in self.objects)

    def sealed(self, secret: bytes) -> Manifest:
        """With its seal."""
        return replace(self, seal=_seal(secret, replace(self, seal="").content))

    def check(self, where: str, secret: bytes | None = None) -> None:
        """Check the root, and the seal where the secret is known.

        Raises:
            VerificationFailed: One does not hold.
        """
        if root_over(self.names) != self.root:
            raise VerificationFailed("the manifest's root is not that of its objects", source=where)
        if secret is None:
            return
        if not hmac.compare_digest(self.seal, self.sealed(secret).seal):
            raise VerificationFailed("the manifest was not made by this repository", source=where)

    @classmethod
    def read(cls, data: bytes, where: str) -> Manifest:
        """Read canonical bytes.

        Raises:
            BadInput: They are not a manifest of this format.
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
                "this is no manifest of a backup that can be read",
                source=where,
                remedy="use the version of Xinglin that wrote it",
            ) from error
        return found


def _seal(secret: bytes, content: bytes) -> str:
    return hmac.digest(secret, b"xinglin backup manifest 1\x00" + content, "sha256").hex()
