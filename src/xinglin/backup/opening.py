"""Open a backup: check every object against the manifest and every piece against the catalogue, in order."""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from xinglin.backup.format.catalogue import Entry, Span, read_lines
from xinglin.backup.format.manifest import Manifest
from xinglin.backup.format.packing import OBJECT, digest_of
from xinglin.backup.format.repository import manifest_key, open_secret
from xinglin.backup.format.sealing import Identities
from xinglin.backup.format.target import Target, object_key
from xinglin.core.errors import VerificationFailed

__all__ = ["OpenBackup", "in_order", "open_backup", "sealed_object"]

_CATALOGUE = 1 << 28
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class OpenBackup:
    """A decrypted backup.

    Args:
        target: The backup target.
        manifest: The manifest.
        identities: Private keys.
        secret: The repository's secret.
        head: Description of the backup.
        files: All files and folders with their pieces.
    """

    target: Target
    manifest: Manifest
    identities: Identities
    secret: bytes
    head: dict[str, Any]
    files: list[tuple[Entry, list[Span]]]

    def plain(self, number: int, work: Path) -> bytes:
        """The plain bytes of one object.

        Args:
            number: Index in the manifest.
            work: Folder for temporary files.

        Raises:
            VerificationFailed: The object does not match the manifest.
        """
        return _plain(self.target, self.manifest, number, self.identities, work)

    def piece(self, plain: bytes, span: Span, where: str) -> bytes:
        """One piece of an object's plain bytes.

        Raises:
            VerificationFailed: The piece does not match the catalogue.
        """
        found = plain[span.place.offset : span.place.offset + span.place.length]
        if len(found) != span.place.length or not hmac.compare_digest(digest_of(self.secret, found), span.digest):
            raise VerificationFailed("a piece does not match the catalogue", source=where)
        return found


def open_backup(target: Target, manifest: Manifest, identities: Identities, work: Path) -> OpenBackup:
    """Decrypt the secret, check the manifest's seal, and read the catalogue.

    Args:
        target: The backup target.
        manifest: The backup.
        identities: Private key of one of its recipients.
        work: Folder for temporary files.

    Raises:
        VerificationFailed: The backup has other recipients, or was changed.
    """
    where = f"{target.url}/{manifest_key(target, manifest)}"
    secret = open_secret(target, manifest, identities)
    manifest.check(where, secret)
    numbers = range(len(manifest.objects) - manifest.catalogue, len(manifest.objects))
    data = b"".join(_plain(target, manifest, number, identities, work, _CATALOGUE) for number in numbers)
    head, files = read_lines(data.splitlines(), manifest.names, where)
    if head.get("name") != manifest.name or head.get("previous") != manifest.previous:
        raise VerificationFailed("the catalogue belongs to another backup", source=where)
    for entry, spans in files:
        if sum(one.place.length for one in spans) != max(entry.size, 0):
            raise VerificationFailed("the pieces of a file do not match its size", source=f"{where}: {entry.path}")
    return OpenBackup(target, manifest, identities, secret, head, files)


def sealed_object(target: Target, manifest: Manifest, number: int, work: Path) -> bytes:
    """An object as stored, without decryption.

    Raises:
        VerificationFailed: The object is missing or does not match the manifest.
    """
    name, size = manifest.objects[number]
    where = f"{target.url}/{object_key(name)}"
    with target.fetched(object_key(name), work) as path:
        if path.stat().st_size != size:
            raise VerificationFailed(f"object {number + 1} of {manifest.name} has another size", source=where)
        data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != name:
        raise VerificationFailed(f"object {number + 1} of {manifest.name} was changed", source=where)
    return data


def in_order(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results in the order of the items, computed in parallel; raises the first failure in that order.

    Example:
        >>> list(in_order(abs, [-3, 1, -2], workers=2))
        [3, 1, 2]
    """
    running: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                running.append(pool.submit(work, item))
                if len(running) > workers + 1:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def _plain(
    target: Target, manifest: Manifest, number: int, identities: Identities, work: Path, limit: int = OBJECT
) -> bytes:
    data = sealed_object(target, manifest, number, work)
    return identities.open(data, limit, f"{target.url}/{object_key(manifest.objects[number][0])}")
