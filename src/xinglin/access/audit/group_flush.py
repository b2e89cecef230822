"""Group flush: decisions of a server that are made in one turn of the event loop share one flush to disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["PATIENCE", "GroupFlush"]

PATIENCE = 0.001
"""Longest flush, in seconds, that runs in the event loop: shorter than passing it to a thread and back."""


class GroupFlush:
    """Group commit for the tasks of one event loop.

    The loop flushes after all ready tasks have run. If the last flush took longer than `PATIENCE`, a thread flushes
    and the loop continues.

    Args:
        flush: Makes durable everything written before the call.

    Example:
        >>> flushed = []
        >>> async def three():
        ...     group = GroupFlush(lambda: flushed.append("disk"))
        ...     await asyncio.gather(*(group.flushed() for _ in range(3)))
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

    async def flushed(self) -> None:
        """Wait until everything written before the call is on disk.

        Raises:
            StorageError: The flush failed.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append(done)
        if not self._going:
            self._going = True
            loop.call_soon(self._turn, loop)
        await done

    def close(self) -> None:
        """Stop the flush thread."""
        self._thread.shutdown()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        taken, self._waiting = self._waiting, []
        if self._took <= PATIENCE:
            self._end(loop, taken, self._flushed())
            return
        flushing = loop.run_in_executor(self._thread, self._flushed)
        flushing.add_done_callback(lambda done: self._end(loop, taken, done.result()))

    def _flushed(self) -> Exception | None:
        """Flush and measure the time; return the error of a failed flush."""
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
            # The waiting task was cancelled.
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
        self._going = bool(self._waiting)
        if self._going:
            loop.call_soon(self._turn, loop)
