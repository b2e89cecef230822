"""Decisions of a server wait for the disk together: what was written in one turn of the loop goes with one flush."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["PATIENCE", "Settling"]

PATIENCE = 0.001
"""Seconds for which the loop itself waits for the disk: less than handing the flush to a thread and back would take."""


class Settling:
    """Group commit for the tasks of one event loop.

    The loop flushes once all tasks that were ready have had their turn. Where the disk lately took longer than
    `PATIENCE`, a thread does it, and the loop goes on.

    Args:
        flush: Makes everything durable that was written before it was called.

    Example:
        >>> flushed = []
        >>> async def three():
        ...     settling = Settling(lambda: flushed.append("disk"))
        ...     await asyncio.gather(*(settling.settled() for _ in range(3)))
        >>> asyncio.run(three())
        >>> flushed
        ['disk']
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit-flush")
        self._waiting: list[asyncio.Future[None]] = []
        self._going = False
        self._took = 0.0

    async def settled(self) -> None:
        """Return once everything that was written before the call is on the disk.

        Raises:
            StorageError: It cannot be made durable.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append(done)
        if not self._going:
            self._going = True
            loop.call_soon(self._turn, loop)
        await done

    def close(self) -> None:
        """End the thread that flushes."""
        self._thread.shutdown()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        taken, self._waiting = self._waiting, []
        if self._took <= PATIENCE:
            self._end(loop, taken, self._flushed())
            return
        flushing = loop.run_in_executor(self._thread, self._flushed)
        flushing.add_done_callback(lambda done: self._end(loop, taken, done.result()))

    def _flushed(self) -> Exception | None:
        """Flush, remember how long it took, and say what went wrong."""
        begin = time.perf_counter()
        try:
            self._flush()
        except Exception as error:
            return error
        finally:
            self._took = time.perf_counter() - begin
        return None

    def _end(
        self, loop: asyncio.AbstractEventLoop, taken: list[asyncio.Future[None]], failure: Exception | None
    ) -> None:
        for done in taken:
            # Who was cancelled waits no more.
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
        self._going = bool(self._waiting)
        if self._going:
            loop.call_soon(self._turn, loop)
