"""Making a backup: objects first, the manifest last, so that a backup is listed only when all of it is there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.backup.format.catalogue import Entry, Span, lines
from xinglin.backup.format.known import Known
from xinglin.backup.format.manifest import FORMAT, Manifest, repository_of, root_over
from xinglin.backup.format.packing import PIECE, Packer
from xinglin.backup.format.reading import Reader
from xinglin.backup.format.repository import backups, keep_secret, last
from xinglin.backup.format.sealing import Recipients
from xinglin.backup.format.target import Target, object_key
from xinglin.backup.tree import parts
from xinglin.core.clock import Clock
from xinglin.core.errors import Conflict, UsageError
from xinglin.core.files import full_disk
from xinglin.core.settings import Settings

if TYPE_CHECKING:
    from xinglin.lake import Lake

__all__ = ["Created", "Plan", "create"]


@dataclass(frozen=True)
class Plan:
    """What is to be stored, and for whom.

    Args:
        settings: The region's.
        lake: Its tables.
        secret: 32 bytes, the repository's secret.
        recipients: Who can read the backup.
        clock: What time it is.
        with_mart: Also what can be built again from the rest.
    """

    settings: Settings
    lake: Lake
    secret: bytes
    recipients: Recipients
    clock: Clock
    with_mart: bool = False


@dataclass(frozen=True)
class Created:
    """What was stored.

    Args:
        manifest: The backup's.
        read: Bytes that were read from disk; files known to be unchanged were not.
        left_out: Links, sockets and pipes, which are not stored.
        elsewhere: URL of tables that lie elsewhere and are not in the backup; empty where they are in it.
    """

    manifest: Manifest
    read: int
    left_out: tuple[str, ...]
    elsewhere: str


def create(plan: Plan, target: Target, progress: Callable[[int], None] = lambda files: None) -> Created:
    """Store what changed since the last backup and write the manifest of the whole.

    Args:
        plan: What, and for whom.
        target: Where to.
        progress: Told of files done.

    Raises:
        Conflict: Another backup is being made there, or another region's are kept there.
        StorageError: The disk is full; what was stored is used by the next try.
    """
    home = plan.settings.home
    if target.folder and target.folder.resolve().is_relative_to(home.resolve()):
        raise UsageError("a backup inside the region is lost with it", source=target.url, remedy="name another place")
    memory = home / "backup" / hashlib.sha256(target.url.encode()).hexdigest()[:16]
    with target.writing() as work, full_disk(home):
        (home / "backup").mkdir(mode=0o700, exist_ok=True)
        keep_secret(target, plan.secret, plan.recipients, work)
        known = Known(memory, plan.recipients.name)
        known.load(target.sizes("objects"))
        packer = Packer(target, plan.recipients, known, work, plan.settings.workers)
        try:
            return _Making(plan, target, known, packer, work).make(memory, progress)
        finally:
            packer.close()
            known.close()


class _Making:
    """One backup in the making."""

    def __init__(self, plan: Plan, target: Target, known: Known, packer: Packer, work: Path) -> None:
        self.plan, self.target, self.known, self.packer, self.work = plan, target, known, packer, work
        self.repository = repository_of(plan.secret)

    def make(self, memory: Path, progress: Callable[[int], None]) -> Created:
        settings = self.plan.settings
        reader = Reader(settings.home, self.plan.secret, self.packer, self.known, memory)
        listed = parts(settings, self.plan.lake, self.plan.with_mart)
        entries = _unique([entry for part in listed for entry in reader.part(part, progress)])
        self.packer.finish()
        before = last(backups(self.target), self.repository)
        sequence = before.sequence + 1 if before else 1
        head = {
            "format": FORMAT,
            "name": f"{self.repository}-{sequence:06d}",
            "made": self.plan.clock().isoformat(),
            "lake": settings.storage.url,
            "previous": before.root if before else None,
            "left_out": reader.left_out,
        }
        manifest = self._manifest(head, sequence, entries)
        reader.keep_seen(entries)
        self._publish(manifest)
        return Created(manifest, reader.read, tuple(reader.left_out), settings.storage.url)

    def _manifest(self, head: dict[str, Any], sequence: int, entries: Sequence[Entry]) -> Manifest:
        used: dict[str, int] = {}
        catalogue = self._catalogue(lines(head, self._placed(entries, used)))
        names = [*used, *catalogue]
        files = [entry for entry in entries if not entry.folder]
        return Manifest(
            name=head["name"],
            repository=self.repository,
            sequence=sequence,
            made=head["made"],
            key=self.plan.recipients.name,
            objects=tuple((name, self.known.sizes[name]) for name in names),
            catalogue=len(catalogue),
            files=len(files),
            length=sum(entry.size for entry in files),
            stored=self.packer.stored,
            root=root_over(names),
            previous=head["previous"],
        ).sealed(self.plan.secret)

    def _placed(self, entries: Sequence[Entry], used: dict[str, int]) -> Iterator[tuple[Entry, list[tuple[int, Span]]]]:
        """Every entry with its pieces' places; objects are numbered in the order in which they are first named."""
        for entry in entries:
            spans = []
            for digest in entry.pieces:
                place = self.known.place(digest)
                if place is None:
                    raise Conflict("a piece was not stored", source=entry.path, remedy="make the backup again")
                spans.append((used.setdefault(place.object, len(used)), Span(place, digest)))
            yield entry, spans

    def _catalogue(self, texts: Iterator[bytes]) -> list[str]:
        """Store the catalogue in objects of its own."""
        before = len(self.packer.objects)
        waiting, size = [], 0
        for text in texts:
            waiting.append(text)
            size += len(text)
            if size >= PIECE:
                self._add(b"".join(waiting))
                waiting, size = [], 0
        self._add(b"".join(waiting))
        self.packer.finish()
        return self.packer.objects[before:]

    def _add(self, piece: bytes) -> None:
        # Chance, so that the catalogue of a try that was killed is never taken for this one.
        self.packer.add(os.urandom(32), piece)

    def _publish(self, manifest: Manifest) -> None:
        self.target.settle()
        self.target.hold({object_key(name): size for name, size in manifest.objects})
        content = manifest.content
        file = self.work / "manifest"
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()[:32]
        self.target.put(file, f"backups/{manifest.name}.{digest}.json")
        self.target.settle()


def _unique(entries: list[Entry]) -> list[Entry]:
    """Each path once: the last reading of it."""
    return list({entry.path: entry for entry in entries}.values())
