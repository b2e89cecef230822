"""Checking a backup: that every byte is there, and, by who can read it, that every piece is the one that was stored."""

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
from xinglin.backup.opening import Opened, in_order, open_backup, sealed_object

__all__ = ["Verified", "spans_by_object", "verify"]


@dataclass(frozen=True)
class Verified:
    """What was checked.

    Args:
        name: The backup.
        root: Its root, in hex.
        objects: Objects whose bytes are as they were stored.
        bytes: Their bytes.
        opened: Whether they were also decrypted and every piece compared with the catalogue.
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
    """Check every object of a backup, in order.

    Args:
        target: Where it is.
        manifest: The backup.
        identities: Of one of its recipients; without, nothing is decrypted.
        workers: Objects that are checked at once.
        progress: Told of objects done, and of all.

    Raises:
        VerificationFailed: Names the first object that is not what was stored.
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


def spans_by_object(opened: Opened) -> dict[int, list[tuple[int, int, Span]]]:
    """For every object: which files its pieces belong to, where in the file, and where in the object."""
    numbers = {name: number for number, name in enumerate(opened.manifest.names)}
    found: dict[int, list[tuple[int, int, Span]]] = {}
    for index, (_, spans) in enumerate(opened.files):
        at = 0
        for span in spans:
            found.setdefault(numbers[span.place.object], []).append((index, at, span))
            at += span.place.length
    return found
