"""Decisions of a server wait for the disk together: what is written while one flush is under way goes with the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["Settling"]


class Settling:
    """Group commit for the tasks of one event loop.

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
        self._going: asyncio.Task[None] | None = None

    async def settled(self) -> None:
        """Return once everything that was written before the call is on the disk.

        Raises:
            StorageError: It cannot be made durable.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append(done)
        if self._going is None:
            self._going = loop.create_task(self._go(loop))
        await done

    def close(self) -> None:
        """End the thread that flushes."""
        self._thread.shutdown()

    async def _go(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            failure: Exception | None = None
            try:
                await loop.run_in_executor(self._thread, self._flush)
            except Exception as error:
                failure = error
            for done in taken:
                # Who was cancelled waits no more.
                if done.done():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
        self._going = None
