"""Live feeds: messages, objects and files are taken in, made durable, acknowledged, and landed every few seconds."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.core.errors import AccessDenied, StorageError, XinglinError
from xinglin.core.files import exclusive
from xinglin.flows.listen.plan import ListenPlan, Watch
from xinglin.flows.listen.receivers import Doors, Listening, Pipe, Report, Trouble
from xinglin.flows.listen.watch import Watcher
from xinglin.flows.stages.sites import ensure_site, reading_of
from xinglin.landing.live.micro_batches import Job, LandedBatch, Lander
from xinglin.sources import Reading

if TYPE_CHECKING:
    from xinglin.admission.renewal import Standing
    from xinglin.admission.stores import Stores
    from xinglin.landing import Segment

__all__ = ["LandedBatch", "Listening", "Report", "Trouble", "listen"]

_SETTLE = 2.0
_LOOK = 0.5
_ATTEMPTS = 3


@dataclass(frozen=True)
class _Watched:
    site: str
    reading: Reading
    watcher: Watcher


def listen(stores: Stores, plan: ListenPlan, report: Report, standing: Standing | None = None) -> None:
    """Listen until SIGINT or SIGTERM, then land what was acknowledged and return.

    Args:
        stores: The region; sites that are new are registered.
        plan: Doors, folders and limits.
        report: Told of every door, batch and problem.
        standing: Decides anew before every micro-batch; the first decision counts to the end when not given.

    Raises:
        AccessDenied: It is not permitted any more: nothing is acknowledged from then on, and what was acknowledged and
            not landed yet waits in the spool for the next start.
        Conflict: A port is taken, or another process listens for one of the sites.
        StorageError: At the end something could not be landed; it waits in the spool for the next start.
    """
    for site in plan.sites:
        ensure_site(stores.landing, site, "unspecified")
    with ExitStack() as locks:
        for site in plan.sites:
            spool = stores.landing.spool(site)
            spool.mkdir(mode=0o700, exist_ok=True)
            locks.enter_context(exclusive(spool / ".lock", doing=f"listening for {site}"))
            for leftover in (spool / "incoming").glob("*"):
                leftover.unlink()
        asyncio.run(_Listener(stores, plan, report, standing).run())


class _Listener:
    """One run of `listen`."""

    def __init__(self, stores: Stores, plan: ListenPlan, report: Report, standing: Standing | None) -> None:
        self.plan = plan
        self.report = report
        self.standing = standing
        self.doors = Doors(stores, plan, report)
        self.lander = Lander(stores.settings, stores.clock, stores.landing.permit)
        self.watched = [self._watched(stores, watch) for watch in plan.watches]
        self.unlanded = 0

    async def run(self) -> None:
        """Open the doors, land at intervals, and leave nothing behind that was acknowledged."""
        loop = asyncio.get_running_loop()
        ending = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ending.set)
        try:
            try:
                await self.doors.open()
                for one in self.watched:
                    self.report(Listening(one.site, "watch", str(one.watcher.folder)))
                await self._work(ending)
            except AccessDenied:
                self.doors.refuse()
                raise
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(number)  # a second signal ends at once; the spool keeps what waits
                await self.doors.shut()
            await self._land_all()
        except AccessDenied as refused:
            raise _ended(refused, self._waiting()) from refused
        finally:
            self.lander.close()
        waiting = self._waiting()
        if waiting:
            raise StorageError(
                f"{waiting} segments could not be landed; they wait in the spool, nothing is lost",
                remedy="mend what was said above and start again",
                retry=True,
            )

    def _waiting(self) -> int:
        for pipe in self.doors.pipes:
            pipe.spool.rotate()
        return sum(len(pipe.spool.closed()) for pipe in self.doors.pipes)

    async def _decide(self, anew: bool = False) -> None:
        """Go on, or stop here; deciding writes to the disk, so it is done beside the loop that answers senders."""
        if self.standing is not None and (anew or self.standing.due):
            await asyncio.to_thread(self.standing.anew if anew else self.standing.current)

    async def _work(self, ending: asyncio.Event) -> None:
        """Land what waits every few seconds, and full segments and settled files at once."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not ending.is_set():
            await self._decide()
            if loop.time() >= due:
                due = loop.time() + self.plan.every
                await self._land_all()
            elif any(pipe.spool.closed() and not pipe.failures for pipe in self.doors.pipes):
                await self._land_closed()
            for one in self.watched:
                await self._look(one, ending)
            try:
                async with asyncio.timeout(min(_LOOK, max(0.0, due - loop.time()))):
                    await ending.wait()
            except TimeoutError:
                continue

    async def _land_all(self) -> None:
        for pipe in self.doors.pipes:
            pipe.spool.rotate()
        await self._land_closed()

    async def _land_closed(self) -> None:
        if any(pipe.spool.closed() for pipe in self.doors.pipes):
            await self._decide(anew=True)
        for pipe in self.doors.pipes:
            for segment in pipe.spool.closed():
                if not await self._land(pipe, segment):
                    break

    async def _land(self, pipe: Pipe, segment: Segment) -> bool:
        """Land one segment; whether the next one may follow."""
        try:
            batch = await self.lander.land(Job(pipe.site, pipe.feed, segment.path, pipe.reading))
        except Exception as error:
            self.report(Trouble(pipe.site, pipe.feed, _words(error)))
            pipe.failures += not (isinstance(error, XinglinError) and error.retry)
            if pipe.failures < _ATTEMPTS:
                return False
            self._set_aside(pipe, segment)
        else:
            if batch.items:
                self.report(batch)
        pipe.failures = 0
        pipe.spool.landed(segment)
        return True

    def _set_aside(self, pipe: Pipe, segment: Segment) -> None:
        """What cannot be landed for a reason that stays must not keep back what follows it."""
        folder = pipe.spool.folder / "failed"
        folder.mkdir(mode=0o700, exist_ok=True)
        segment.path.rename(folder / segment.path.name)
        words = f"a segment could not be landed {_ATTEMPTS} times and was put aside: {folder / segment.path.name}"
        self.report(Trouble(pipe.site, pipe.feed, words))

    def _watched(self, stores: Stores, watch: Watch) -> _Watched:
        watcher = Watcher(watch.folder, _SETTLE, self.plan.afterwards)
        return _Watched(watch.site, reading_of(stores.landing, watch.site), watcher)

    async def _look(self, one: _Watched, ending: asyncio.Event) -> None:
        for number, path in enumerate(await asyncio.to_thread(one.watcher.ready)):
            if ending.is_set():
                return
            await self._decide(anew=not number)
            try:
                job = Job(one.site, "watch", path, one.reading, again=one.watcher.afterwards == "move")
                batch = await self.lander.land(job)
                one.watcher.landed(path, batch)
            except Exception as error:
                self.report(Trouble(one.site, "watch", _words(error)))
                if not (isinstance(error, XinglinError) and error.retry) and path.exists():
                    one.watcher.failed(path, _words(error))
            else:
                if batch.items:
                    self.report(batch)


def _ended(refused: AccessDenied, waiting: int) -> AccessDenied:
    """The refusal, with what became of what was taken in before it."""
    kept = f"{waiting} segments that were acknowledged wait in the spool" if waiting else "all is landed"
    return AccessDenied(
        f"{refused.what}; listening has ended, {kept}, nothing is lost",
        source=refused.source,
        remedy=f"{refused.remedy}; then start listening again".removeprefix("; "),
    )


def _words(error: Exception) -> str:
    """An error of ours says what is wrong without a patient's value; of another only the kind is told."""
    return str(error) if isinstance(error, XinglinError) else f"landing failed ({type(error).__name__})"
