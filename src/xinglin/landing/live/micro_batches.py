"""Micro-batches: closed segments and watched files become signed batches, in a separate process.

Landing needs processor time; in the process that answers senders it would delay the answers. One worker process lands
one batch after the other. It remembers what each site sent before, so a batch costs the same after a year.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xinglin.core.clock import Clock
from xinglin.core.errors import StorageError
from xinglin.core.files import file_sha256, full_disk, sync_folder
from xinglin.core.permit import Permit
from xinglin.core.settings import Settings
from xinglin.sources import Reading

if TYPE_CHECKING:
    from xinglin.landing import IngestReport, Landing

__all__ = ["Feed", "Job", "LandedBatch", "Lander", "land"]

Feed = Literal["mllp", "dicom", "watch"]
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*MSH[^A-Za-z0-9\s]").match


@dataclass(frozen=True)
class Job:
    """Something to land.

    Args:
        site: The site.
        feed: MLLP (a journal), DICOM (a folder of objects) or a file in a watched folder.
        path: Path of the journal, folder or file.
        reading: Format, mapping and limits.
        again: Whether to count a watched file again if its bytes were landed before.
    """

    site: str
    feed: Feed
    path: Path
    reading: Reading
    again: bool = True


@dataclass(frozen=True)
class LandedBatch:
    """Result of a job: received = landed + duplicate + quarantined, as in `IngestReport`.

    Args:
        site: The site.
        feed: The feed.
        items: Messages, objects or files in the job.
        batch: Number of the batch; None if nothing was received or everything was landed before.
        received: Records in the input.
        landed: Resources in the batch.
        duplicate: Resources landed before.
        quarantined: Records in quarantine.
        seconds: Wall-clock time.
    """

    site: str
    feed: Feed
    items: int
    batch: int | None = None
    received: int = 0
    landed: int = 0
    duplicate: int = 0
    quarantined: int = 0
    seconds: float = 0.0


class Lander:
    """The worker process; restarted if it dies.

    Args:
        settings: Settings of the region.
        clock: Gives the time in manifests; a function that another process can import.
        permit: Permit, passed on to the process.
    """

    def __init__(self, settings: Settings, clock: Clock, permit: Permit) -> None:
        self._given = settings, clock, permit
        self._executor: ProcessPoolExecutor | None = None

    async def land(self, job: Job) -> LandedBatch:
        """Land one job; on return its segment is deleted from the spool.

        Raises:
            XinglinError: It could not be landed and remains where it was.
        """
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=_begin, initargs=self._given
            )
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, _land_here, job)
        except BrokenProcessPool as error:
            self.close()
            raise StorageError(
                "the landing process was killed; its data is still in the spool",
                remedy="check whether the machine ran out of memory",
                retry=True,
            ) from error

    def close(self) -> None:
        """End the process."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


_WORKER: dict[str, tuple[Landing, Settings, Clock]] = {}
"""State of the worker process between jobs."""


def _begin(settings: Settings, clock: Clock, permit: Permit) -> None:
    from xinglin.landing import Landing

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when to end
    os.nice(5)  # answering senders comes first
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _WORKER["here"] = Landing(settings.landing, settings.keys, permit), settings, clock


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _land_here(job: Job) -> LandedBatch:
    return land(job, *_WORKER["here"])


def land(job: Job, landing: Landing, settings: Settings, clock: Clock) -> LandedBatch:
    """Land one job in this process.

    A segment that is already in a manifest was landed before a crash: it is only deleted.

    Raises:
        XinglinError: It could not be landed and remains where it was.
    """
    with full_disk(job.path):
        if job.feed == "mllp":
            return _land_journal(job, landing, settings, clock)
        if job.feed == "dicom":
            return _land_objects(job, landing, settings, clock)
    if not job.again and landing.known(job.site).has(file_sha256(job.path)):
        return LandedBatch(job.site, job.feed, 0)
    return _batch(job, 1, _ingest(job, job.path, landing, settings, clock))


def _land_journal(job: Job, landing: Landing, settings: Settings, clock: Clock) -> LandedBatch:
    from xinglin.landing import messages

    found = list(messages(job.path.read_bytes()))
    sealed = job.path.parent / f"sealed-{job.path.stem}"
    shutil.rmtree(sealed, ignore_errors=True)
    batch = LandedBatch(job.site, job.feed, 0)
    if found:
        sealed.mkdir(mode=0o700)
        for name, content in _sealed(job.path.stem, found).items():
            with os.fdopen(os.open(sealed / name, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(content)
        known = landing.known(job.site)
        if not all(known.landed(path.name, file_sha256(path)) for path in sealed.iterdir()):
            batch = _batch(job, len(found), _ingest(job, sealed, landing, settings, clock))
    shutil.rmtree(sealed, ignore_errors=True)
    job.path.unlink()
    sync_folder(job.path.parent)
    return batch


def _sealed(name: str, found: list[bytes]) -> dict[str, bytes]:
    """Messages as files by name; the same journal always gives the same files.

    Content that does not begin with MSH gets its own file: between messages its lines would be read as the end of the
    previous message, which is from another sender.

    Example:
        >>> list(_sealed("mllp-00000001", [b"MSH|1", b"OBX|1", b"MSH|2"]))
        ['mllp-00000001.hl7', 'mllp-00000001-000002.hl7']
    """
    plain = b"".join(b"\x0b%b\x1c\r" % message for message in found if _BEGINS(message))
    files = {f"{name}.hl7": plain} if plain else {}
    return files | {
        f"{name}-{number:06d}.hl7": message for number, message in enumerate(found, 1) if not _BEGINS(message)
    }


def _land_objects(job: Job, landing: Landing, settings: Settings, clock: Clock) -> LandedBatch:
    known = landing.known(job.site)
    left = sorted(job.path.iterdir())
    for path in left.copy():
        if known.landed(path.name, file_sha256(path)):
            path.unlink()
            left.remove(path)
    batch = LandedBatch(job.site, job.feed, 0)
    if left:
        batch = _batch(job, len(left), _ingest(job, job.path, landing, settings, clock))
    for path in left:
        path.unlink()
    job.path.rmdir()
    sync_folder(job.path.parent)
    return batch


def _ingest(job: Job, path: Path, landing: Landing, settings: Settings, clock: Clock) -> IngestReport:
    from xinglin.landing import ingest

    if job.feed != "watch":
        settings = replace(settings, threads=1)  # a micro-batch takes less time than starting worker processes
    return ingest(landing, path, job.site, settings=settings, clock=clock, reading=job.reading)


def _batch(job: Job, items: int, report: IngestReport) -> LandedBatch:
    return LandedBatch(
        job.site,
        job.feed,
        items,
        report.batch,
        report.received,
        report.landed,
        report.duplicate,
        report.quarantined,
        report.seconds,
    )
