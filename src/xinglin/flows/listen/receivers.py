"""The doors of `xinglin listen`: MLLP listeners and DICOM SCPs, each with the spool of its site."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.core.errors import Conflict, UsageError, XinglinError
from xinglin.flows.listen.plan import Door, ListenPlan
from xinglin.flows.stages.sites import reading_of
from xinglin.landing.live.intake import MessageIntake, object_intake
from xinglin.landing.live.micro_batches import Feed, LandedBatch
from xinglin.sources import Reading
from xinglin.sources.dicom.scp import StorageServer
from xinglin.sources.hl7v2.network.mllp import MllpServer

if TYPE_CHECKING:
    from xinglin.admission.stores import Stores
    from xinglin.landing import Spool

__all__ = ["Doors", "Listening", "Pipe", "Report", "Trouble"]


@dataclass(frozen=True)
class Listening:
    """A door is open, or a folder is watched."""

    site: str
    feed: Feed
    address: str


@dataclass(frozen=True)
class Trouble:
    """Something went wrong with a connection or a batch; never a value of a patient."""

    site: str
    feed: Feed
    words: str


Report = Callable[[Listening | LandedBatch | Trouble], None]


@dataclass
class Pipe:
    """One feed of one site with its spool.

    Args:
        site: Whose it is.
        feed: ``mllp`` or ``dicom``.
        spool: What was received and not landed yet.
        reading: How it is read.
        failures: How often its oldest segment could not be landed.
    """

    site: str
    feed: Feed
    spool: Spool
    reading: Reading
    failures: int = 0


class Doors:
    """All listeners of one process.

    Args:
        stores: The region.
        plan: Which doors.
        report: Told of every door and problem.
    """

    def __init__(self, stores: Stores, plan: ListenPlan, report: Report) -> None:
        self._stores = stores
        self._plan = plan
        self._report = report
        self._mllp: list[tuple[Door, MllpServer]] = []
        self._dicom: list[tuple[Door, StorageServer]] = []
        self._keepers: list[MessageIntake] = []
        self._refusing = threading.Event()
        self.pipes: list[Pipe] = []

    async def open(self) -> None:
        """Open every door.

        Raises:
            Conflict: A port is taken.
            UsageError: An address cannot be had.
        """
        tls = self._plan.tls.context() if self._plan.tls else None
        self._prepare()
        for door, server in self._mllp:
            try:
                port = await server.start(door.host, door.port, tls)
            except OSError as error:
                raise _refused(door, error) from error
            self._report(Listening(door.site, "mllp", f"{door.host}:{port}"))
        for door, storage in self._dicom:
            try:
                port = storage.start(door.host, door.port, tls)
            except OSError as error:
                raise _refused(door, error) from error
            self._report(Listening(door.site, "dicom", f"{door.host}:{port}"))

    def refuse(self) -> None:
        """Acknowledge nothing more: what senders go on to send is sent back."""
        self._refusing.set()
        for keeper in self._keepers:
            keeper.refuse()

    async def shut(self) -> None:
        """Accept nothing more and let what is under way come to its end."""
        ending = [server.stop() for _, server in self._mllp]
        ending += [asyncio.to_thread(storage.stop) for _, storage in self._dicom]
        await asyncio.gather(*ending)
        for keeper in self._keepers:
            keeper.close()

    def _prepare(self) -> None:
        """Spools first: what an earlier process left in them is landed even where a port cannot be had."""
        from xinglin.landing import MessageSpool, ObjectSpool, SpoolLimits

        plan, landing = self._plan, self._stores.landing
        limits = SpoolLimits(plan.spool_limit, plan.reserve, plan.segment_bytes)
        for site in sorted({door.site for door in plan.mllp}):
            spool = MessageSpool(landing.spool(site), "mllp", landing.known(site).mark("mllp"), limits)
            keeper = MessageIntake(spool, plan.patience)
            self._keepers.append(keeper)
            pipe = self._pipe(site, "mllp", spool)
            self._mllp += [
                (door, MllpServer(keeper.keep, self._stores.clock, pipe.reading.mapping, plan.mllp_limits,
                                  self._trouble(site, "mllp")))
                for door in plan.mllp if door.site == site
            ]  # fmt: skip
        limits = SpoolLimits(plan.spool_limit, plan.reserve, plan.objects_bytes)
        first = min((door.site for door in plan.dicom), default="")
        for site in sorted({door.site for door in plan.dicom}):
            objects = ObjectSpool(landing.spool(site), "dicom", landing.known(site).mark("dicom"), limits)
            self._pipe(site, "dicom", objects)
            take = object_intake(objects, plan.patience, self._refusing)
            incoming = landing.spool(first) / "incoming"
            self._dicom += [
                (door, StorageServer(take, incoming, plan.dicom_limits, self._trouble(site, "dicom")))
                for door in plan.dicom
                if door.site == site
            ]

    def _pipe(self, site: str, feed: Feed, spool: Spool) -> Pipe:
        """What comes by MLLP is HL7 v2, what comes by DICOM is DICOM; the site's mapping goes with its own format."""
        form = "hl7v2" if feed == "mllp" else "dicom"
        registered = reading_of(self._stores.landing, site)
        mapping = registered.mapping if registered.format in ("auto", form) else None
        self.pipes.append(Pipe(site, feed, spool, Reading(form, mapping)))
        return self.pipes[-1]

    def _trouble(self, site: str, feed: Feed) -> Callable[[str], None]:
        loop = asyncio.get_running_loop()

        def tell(words: str) -> None:
            # DICOM associations live in threads of their own and may outlive the loop.
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._report, Trouble(site, feed, words))

        return tell


def _refused(door: Door, error: OSError) -> XinglinError:
    address = f"{door.host}:{door.port}"
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            f"port {door.port} is taken: another program listens there, or another listener of this command",
            source=address,
            remedy=f"choose another port, or end that program (ss -ltnp 'sport = :{door.port}' names it)",
        )
    if error.errno == errno.EACCES:
        return Conflict("this user may not listen on this port", source=address, remedy="choose a port above 1023")
    return UsageError(f"this address cannot be listened on ({error.strerror})", source=address)
