"""Group commit: what tasks of one event loop hand in while a write to disk is under way is written by the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["PATIENCE", "GroupCommit"]

PATIENCE = 0.001
"""Longest write, in seconds, that runs in the event loop: shorter than passing it to a thread and back."""

_T = TypeVar("_T")


class GroupCommit(Generic[_T]):
    """One write to disk for all tasks of an event loop that wait for one.

    The loop writes after all ready tasks have run. If the last write took longer than `patience`, a thread writes and
    the loop continues.

    Args:
        commit: Makes durable what it is given, and everything written before the call.
        patience: Seconds; below 0, a thread always writes.

    Example:
        >>> written = []
        >>> async def three():
        ...     group = GroupCommit(written.append)
        ...     await asyncio.gather(*(group.committed(number) for number in range(3)))
        >>> asyncio.run(three())
        >>> written
        [[0, 1, 2]]
    """

    def __init__(self, commit: Callable[[list[_T]], object], patience: float = PATIENCE) -> None:
        self._commit = commit
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="group-commit")
        self._waiting: list[tuple[_T, asyncio.Future[None]]] = []
        self._going = False
        self._took = 0.0

    async def committed(self, item: _T) -> None:
        """Wait until an item, and everything written before the call, is on disk.

        Raises:
            StorageError: The write failed, for all items of the group.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((item, done))
        if not self._going:
            self._going = True
            loop.call_soon(self._turn, loop)
        await done

    def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        taken, self._waiting = self._waiting, []
        items = [item for item, _ in taken]
        futures = [future for _, future in taken]
        if self._took <= self._patience:
            self._end(loop, futures, self._timed(items))
            return
        writing = loop.run_in_executor(self._thread, self._timed, items)
        writing.add_done_callback(lambda done: self._end(loop, futures, done.result()))

    def _timed(self, items: list[_T]) -> Exception | None:
        """Write and measure the time; return the error of a failed write."""
        begin = time.perf_counter()
        try:
            self._commit(items)
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
