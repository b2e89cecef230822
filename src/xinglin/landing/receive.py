"""Land the files at a path as one signed batch of a site: all of it or nothing."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xinglin.core.clock import Clock, system_clock
from xinglin.core.files import exclusive, full_disk, sync_folder
from xinglin.core.progress import Steps
from xinglin.core.settings import Settings
from xinglin.landing.batch.assemble import Assembled, FilePlan, assemble, plan
from xinglin.landing.batch.compose import file_entries, seal, source_entries, write_quarantine, write_superseded
from xinglin.landing.batch.conflicts import conflicts
from xinglin.landing.batch.originals import keep_original
from xinglin.landing.batch.parquet import quarantine_table, write_table
from xinglin.landing.batch.pieces import Outcome, Piece, Task, make_pieces
from xinglin.landing.batch.versions import Decision, Offers, decide
from xinglin.landing.erasures.erase import finish
from xinglin.landing.erasures.redaction import kept_without
from xinglin.landing.pool import Pool, release_memory, worker_pool
from xinglin.landing.store import Counts, Landing
from xinglin.sources import Found, Part, Reading, Received, Splitter, discover

__all__ = ["IngestReport", "Steps", "ingest"]


_SMALL = 8_000_000
_PARTS = 256
_NAMES = 100


@dataclass(frozen=True)
class IngestReport:
    """What one ingest did: received = landed + duplicate + quarantined.

    Args:
        site: The site.
        batch: Sequence of the new batch; None if nothing was received.
        received: Records in the input.
        landed: Resources in the batch.
        duplicate: Resources that were landed before.
        quarantined: Records in quarantine, each with a reason.
        seconds: Wall-clock time.
        unknown_elements: Number of elements that FHIR R4 does not know, by name (``Patient.surname``); they are landed.
    """

    site: str
    batch: int | None
    received: int
    landed: int
    duplicate: int
    quarantined: int
    seconds: float
    unknown_elements: Mapping[str, int] = field(default_factory=dict)


def ingest(
    landing: Landing,
    path: Path,
    site: str,
    settings: Settings | None = None,
    clock: Clock = system_clock,
    progress: Steps | None = None,
    reading: Reading | None = None,
    pool: Pool | None = None,
) -> IngestReport:
    """Land a file or a folder in one of the supported formats.

    Args:
        landing: The region's landing.
        path: A file, plain, .gz, .zst or .zip; or a folder of them.
        site: A registered site.
        settings: Number of worker processes.
        clock: Gives the time in the manifest.
        progress: Called with the bytes read.
        reading: Format, mapping and limits; recognised from the content if not given.
        pool: Workers shared by several ingests; without it, workers are started if the input is large.

    Raises:
        NotFound: The path or the site does not exist.
        Conflict: Another ingest of the site is running.
        StorageError: The disk is full; nothing was landed.
    """
    started = time.monotonic()
    landing.site(site)
    key = landing.signing_key(site)
    reading = reading or Reading()
    found = discover(path, reading)
    total = sum(one.size for one in found)
    workers = settings.workers if settings else len(os.sched_getaffinity(0))
    small = total <= _SMALL or workers == 1
    with (
        exclusive(landing.folder(site) / ".lock", doing=f"landing at {site}"),
        worker_pool(0) if small or pool else worker_pool(workers) as own,
    ):
        finish(landing.folder(site))
        work = _Work(landing, site, reading, own if small or pool is None else pool)
        counts = work.run(found, key, clock, lambda done: progress(done, total) if progress else None)
    return IngestReport(site, work.sequence if counts.received else None, **vars(counts),
                        seconds=time.monotonic() - started, unknown_elements=work.told_unknown())  # fmt: skip


class _Work:
    """One running ingest."""

    def __init__(self, landing: Landing, site: str, reading: Reading, pool: Pool) -> None:
        self.landing = landing
        self.site = site
        self.reading = reading
        self.pool = pool
        self.folder = landing.folder(site)
        self.earlier = landing.batches(site)
        self.sequence = self.earlier[-1].sequence + 1 if self.earlier else 1
        self.known = landing.known(site)
        self.erased_hashes = landing.erased_hashes(site)
        self.splitter = Splitter(reading)
        self.kept: dict[int, str] = {}
        self.erased: set[int] = set()
        self.pieces: list[Piece] = []
        self.quarantine: list[Path] = []
        self.received: Counter[int] = Counter()
        self.unknown: Counter[str] = Counter()
        self.quarantined: Counter[int] = Counter()

    def run(self, found: list[Found], key: bytes, clock: Clock, report: Callable[[int], None]) -> Counts:
        """Read, decide, assemble and sign; then the batch appears under its name."""
        with self._temporary() as temporary, full_disk(self.folder):
            offers = Offers(temporary / "work" / "offers")
            for outcome in self.pool.map(make_pieces, self._tasks(found, temporary / "work", report)):
                self._collect(outcome, offers)
            if not sum(self.received.values()):
                return Counts()
            decision = decide(offers, self.earlier, self.folder / "index")
            self._quarantine(decision, temporary / "work" / "conflicts.parquet")
            release_memory()
            plans = plan(self.pieces, decision.dropped, temporary / "batch")
            made = list(self.pool.map(assemble, plans))
            landed = sum(file.rows for file in plans)
            received, quarantined = sum(self.received.values()), sum(self.quarantined.values())
            counts = Counts(received, landed, received - landed - quarantined, quarantined)
            manifest = self._manifest(temporary / "batch", decision, plans, made)
            seal(temporary / "batch", manifest | {"counts": vars(counts), "time": clock().isoformat()}, key)
            (temporary / "batch").rename(self.folder / f"batch-{self.sequence:06d}")
            sync_folder(self.folder)
            return counts

    def told_unknown(self) -> dict[str, int]:
        """The most frequent elements that FHIR R4 does not know, by name."""
        return dict(sorted(self.unknown.items(), key=lambda one: (-one[1], one[0]))[:_NAMES])

    def _collect(self, outcome: Outcome, offers: Offers) -> None:
        for offered in outcome.offered:
            offers.add(len(self.pieces), offered)
            self.pieces.append(offered.piece)
        if outcome.quarantine:
            self.quarantine.append(outcome.quarantine)
        self.received.update(outcome.received)
        self.quarantined.update(outcome.quarantined)
        for source, digest in outcome.hashes.items():
            self.splitter.received[source].sha256 = digest
        self.kept.update(outcome.kept)
        self.erased |= outcome.erased
        self.unknown.update(outcome.unknown)

    def _tasks(self, found: list[Found], temporary: Path, report: Callable[[int], None]) -> Iterator[Task]:
        """Parts in tasks of about one chunk each; independent of the number of workers."""
        number = size = done = 0
        waiting: list[Part] = []

        def task() -> Task:
            originals = self.folder / "originals"
            return Task(number, self.site, temporary, tuple(waiting), self.reading, originals, self.erased_hashes)

        for one in found:
            for part in self._parts(one):
                waiting.append(part)
                size += part.work
                if size >= self.reading.limits.chunk_bytes or len(waiting) >= _PARTS:
                    yield task()
                    number, size, waiting = number + 1, 0, []
                    report(done + min(self.splitter.received[-1].bytes, one.size))
            done += one.size
            report(done)
        if waiting:
            yield task()

    def _parts(self, found: Found) -> Iterator[Part]:
        """The parts of a file; none if the site sent the same bytes before, since all its records are duplicates."""
        known = self.known.records(found, self.reading.mapping)
        if known is None:
            yield from self.splitter.parts(found)
            return
        digest, records = known
        self.received[len(self.splitter.received)] = records
        self.splitter.received.append(Received(found.name, "repeated", found.path, found.size, digest))

    def _quarantine(self, decision: Decision, path: Path) -> None:
        """Quarantine the rows in conflict with landed resources."""
        if rows := conflicts(self.pieces, decision.conflicts):
            write_table(quarantine_table(rows), path)
            self.quarantine.append(path)
            self.quarantined.update(Counter(row["source"] for row in rows))

    def _manifest(
        self, folder: Path, decision: Decision, plans: list[FilePlan], made: list[Assembled]
    ) -> dict[str, Any]:
        manifest = file_entries(plans, made)
        rows = [piece.rows for piece in self.pieces]
        for entry in (
            write_superseded(folder, self.sequence, decision, plans, rows),
            write_quarantine(folder, self.quarantine),
        ):
            if entry:
                manifest["files"].append(entry)
        withheld = self._withheld()
        places = (folder.parent / "work" / "redacted", self.folder / "originals")
        redacted = kept_without(self.splitter.received, self.erased, self.reading, self.erased_hashes, places)
        originals = (
            self.kept
            | redacted
            | {
                source: keep_original(one.path, one.name, one.sha256, self.folder / "originals")
                for source, one in enumerate(self.splitter.received)
                if one.rewritten and not one.in_archive and source not in self.kept and source not in withheld
            }
        )
        mapping = self.reading.mapping
        return manifest | {
            "site": self.site,
            "sequence": self.sequence,
            "previous": self.earlier[-1].digest if self.earlier else None,
            **({"mapping": self.landing.keep_mapping(self.site, mapping)} if mapping is not None else {}),
            **({"unknown_elements": self.told_unknown()} if self.unknown else {}),
            **({"read_as": self.reading.format} if self.reading.format != "auto" else {}),
            "sources": source_entries(self.splitter.received, self.received, self.quarantined, originals),
        }

    def _withheld(self) -> set[int]:
        """Sources whose originals are not stored unchanged: they, or members of an archive, contain erased records."""
        withheld, archive = set(self.erased), 0
        for number, one in enumerate(self.splitter.received):
            archive = number if one.role == "archive" else archive
            if one.in_archive and number in self.erased:
                withheld.add(archive)
        return withheld

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        """A folder that becomes the batch or is deleted; folders of a killed process are deleted first."""
        for leftover in self.folder.glob(".batch-*"):
            shutil.rmtree(leftover)
        temporary = self.folder / f".batch-{self.sequence:06d}-{os.getpid()}"
        with full_disk(self.folder):
            for folder in (temporary, temporary / "work", temporary / "batch"):
                folder.mkdir()
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
