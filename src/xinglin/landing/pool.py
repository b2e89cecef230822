"""Tasks in worker processes: results in order, only a few tasks at a time."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import TypeVar

from xinglin.core.errors import StorageError

__all__ = ["Pool", "release_memory", "worker_pool"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool:
    """Applies a function to items, in this process or in worker processes.

    Args:
        workers: Number of processes; 0 to work in this process.

    Example:
        >>> with worker_pool(0) as pool:
        ...     list(pool.map(abs, [-3, 2, -1]))
        [3, 2, 1]
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._executor: ProcessPoolExecutor | None = None
        self._starting = threading.Lock()

    def map(self, task: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of the items; the next item is taken when a worker is free."""
        if not self.workers:
            yield from map(task, items)
            return
        with self._starting:
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    self.workers, mp_context=get_context("spawn"), initializer=_die_with_parent
                )
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(self._executor.submit(_done, task, item))
                if len(waiting) > self.workers + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise StorageError(
                "a worker process was killed; nothing was landed",
                remedy="check whether the machine ran out of memory, then run the same command again",
                retry=True,
            ) from error
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def worker_pool(workers: int) -> Iterator[Pool]:
    """A pool that is closed at the end of the block."""
    pool = Pool(workers)
    try:
        yield pool
    finally:
        pool.close()


def release_memory() -> None:
    """Return unused memory of this process to the operating system.

    Memory that a large task frees stays with the allocators. The next task needs other sizes and allocates more, so a
    worker would grow with every task. Both Arrow's pool and the C library's (through Arrow) are trimmed.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    pa.system_memory_pool().release_unused()


def _done(task: Callable[[Item], Result], item: Item) -> Result:
    """Run one task in a worker."""
    try:
        return task(item)
    finally:
        release_memory()


def _die_with_parent() -> None:
    """End this worker when its parent is killed: its results are not needed any more."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
