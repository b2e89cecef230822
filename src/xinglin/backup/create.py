"""Create a backup: objects first, the manifest last, so that only complete backups are listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.backup.format.catalogue import Entry, Span, lines
from xinglin.backup.format.manifest import FORMAT, Manifest, repository_of, root_over
from xinglin.backup.format.packing import PIECE, Packer
from xinglin.backup.format.piece_index import PieceIndex
from xinglin.backup.format.reading import Reader
from xinglin.backup.format.repository import backups, last, store_secret
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
    """Parameters of a backup.

    Args:
        settings: Settings of the region.
        lake: Its lake.
        secret: The repository's secret, 32 bytes.
        recipients: Public keys that can decrypt the backup.
        clock: The clock.
        with_mart: Include the mart, which can also be built again.
    """

    settings: Settings
    lake: Lake
    secret: bytes
    recipients: Recipients
    clock: Clock
    with_mart: bool = False


@dataclass(frozen=True)
class Created:
    """A created backup.

    Args:
        manifest: Its manifest.
        read: Bytes read from disk; unchanged files are not read.
        left_out: Links, sockets and pipes, which are not stored.
        elsewhere: URL of a remote lake, whose tables are not in the backup; empty for a local lake.
    """

    manifest: Manifest
    read: int
    left_out: tuple[str, ...]
    elsewhere: str


def create(plan: Plan, target: Target, progress: Callable[[int], None] = lambda files: None) -> Created:
    """Store the changes since the last backup and write the manifest of the complete backup.

    Args:
        plan: Parameters of the backup.
        target: The backup target.
        progress: Called with the number of files done.

    Raises:
        Conflict: Another process writes to the target, or it belongs to another region.
        StorageError: The disk is full; the next attempt uses what was stored.
    """
    home = plan.settings.home
    if target.folder and target.folder.resolve().is_relative_to(home.resolve()):
        raise UsageError("the target is inside the region's home", source=target.url, remedy="use another folder")
    memory = home / "backup" / hashlib.sha256(target.url.encode()).hexdigest()[:16]
    with target.writing() as work, full_disk(home):
        (home / "backup").mkdir(mode=0o700, exist_ok=True)
        store_secret(target, plan.secret, plan.recipients, work)
        known = PieceIndex(memory, plan.recipients.name)
        known.load(target.sizes("objects"))
        packer = Packer(target, plan.recipients, known, work, plan.settings.workers)
        try:
            return _BackupRun(plan, target, known, packer, work).make(memory, progress)
        finally:
            packer.close()
            known.close()


class _BackupRun:
    """One run that creates a backup."""

    def __init__(self, plan: Plan, target: Target, known: PieceIndex, packer: Packer, work: Path) -> None:
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
        reader.save_files(entries)
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
        """All entries with the positions of their pieces; objects are numbered in the order of first use."""
        for entry in entries:
            spans = []
            for digest in entry.pieces:
                place = self.known.place(digest)
                if place is None:
                    raise Conflict("a piece was not stored", source=entry.path, remedy="create the backup again")
                spans.append((used.setdefault(place.object, len(used)), Span(place, digest)))
            yield entry, spans

    def _catalogue(self, texts: Iterator[bytes]) -> list[str]:
        """Store the catalogue in separate objects."""
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
        # A random name, so that the catalogue of an interrupted run is never reused.
        self.packer.add(os.urandom(32), piece)

    def _publish(self, manifest: Manifest) -> None:
        self.target.sync()
        self.target.check_present({object_key(name): size for name, size in manifest.objects})
        content = manifest.content
        file = self.work / "manifest"
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()[:32]
        self.target.put(file, f"backups/{manifest.name}.{digest}.json")
        self.target.sync()


def _unique(entries: list[Entry]) -> list[Entry]:
    """Each path once, as it was read last."""
    return list({entry.path: entry for entry in entries}.values())
