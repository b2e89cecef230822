"""Verify a backup: all bytes without a key, and with a private key also every piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from xinglin.backup.format.catalogue import Span
from xinglin.backup.format.manifest import Manifest
from xinglin.backup.format.repository import manifest_key
from xinglin.backup.format.sealing import Identities
from xinglin.backup.format.target import Target, object_key
from xinglin.backup.opening import OpenBackup, in_order, open_backup, sealed_object

__all__ = ["Verified", "spans_by_object", "verify"]


@dataclass(frozen=True)
class Verified:
    """A verified backup.

    Args:
        name: Name of the backup.
        root: Root in hex.
        objects: Number of verified objects.
        bytes: Their total size.
        opened: Whether the pieces were decrypted and compared with the catalogue.
    """

    name: str
    root: str
    objects: int
    bytes: int
    opened: bool


def verify(
    target: Target,
    manifest: Manifest,
    identities: Identities | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verified:
    """Verify all objects of a backup, in order.

    Args:
        target: The backup target.
        manifest: The backup.
        identities: Private key of one of its recipients; without it nothing is decrypted.
        workers: Number of objects verified in parallel.
        progress: Called with the number of objects done and their total.

    Raises:
        VerificationFailed: Names the first damaged object.
    """
    manifest.check(f"{target.url}/{manifest_key(target, manifest)}")
    with TemporaryDirectory() as folder:
        work = Path(folder)
        opened = open_backup(target, manifest, identities, work) if identities else None
        spans = spans_by_object(opened) if opened else {}

        def one(number: int) -> None:
            if opened and number < len(manifest.objects) - manifest.catalogue:
                plain = opened.plain(number, work)
                where = f"{target.url}/{object_key(manifest.objects[number][0])}"
                for _, _, span in spans.get(number, []):
                    opened.piece(plain, span, where)
            else:
                sealed_object(target, manifest, number, work)

        total = len(manifest.objects)
        for done, _ in enumerate(in_order(one, range(total), workers), 1):
            progress(done, total)
    return Verified(manifest.name, manifest.root, total, manifest.size, opened is not None)


def spans_by_object(opened: OpenBackup) -> dict[int, list[tuple[int, int, Span]]]:
    """For each object: file, offset in the file, and span in the object of each piece."""
    numbers = {name: number for number, name in enumerate(opened.manifest.names)}
    found: dict[int, list[tuple[int, int, Span]]] = {}
    for index, (_, spans) in enumerate(opened.files):
        at = 0
        for span in spans:
            found.setdefault(numbers[span.place.object], []).append((index, at, span))
            at += span.place.length
    return found
