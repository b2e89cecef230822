"""Runners execute the same tasks in different places; the tasks do not depend on the runner.

A task is a function at the top level of a module, applied to items that can be pickled; it reads and writes the lake
itself and returns something small. So it gives the same bytes in a thread of this process and in an executor on another
machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Protocol, TypeVar

from xinglin.core.errors import StorageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["LocalRunner", "Runner"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Runner(Protocol):
    """Executes the tasks of a stage."""

    def map(
        self,
        task: Callable[[Item], Result],
        items: Sequence[Item],
        on_done: Callable[[Result], None] | None = None,
    ) -> list[Result]:
        """Apply the task to every item; results come in the order of the items.

        Args:
            task: A function at the top level of a module.
            items: What to apply it to; each can be pickled.
            on_done: Called in this process with each result as it comes, for progress.
        """
        ...

    def session(self) -> SparkSession | None:
        """The Spark session of the runner, for libraries that use Spark directly; None without Spark."""
        ...


@dataclass(frozen=True)
class LocalRunner:
    """All cores of this machine.

    Args:
        workers: Tasks at once.
        processes: Run them in processes of their own, for work that holds Python's lock; else in threads, which
            is enough for DuckDB.

    Example:
        >>> LocalRunner(workers=2).map(abs, [-3, 2, -1])
        [3, 2, 1]
    """

    workers: int
    processes: bool = False

    def map(
        self,
        task: Callable[[Item], Result],
        items: Sequence[Item],
        on_done: Callable[[Result], None] | None = None,
    ) -> list[Result]:
        """See `Runner.map`; the first task that fails ends the rest.

        Raises:
            StorageError: A process was killed.
        """
        if not items:
            return []
        results: list[Result] = []
        with self._pool(min(self.workers, len(items))) as pool:
            futures: list[Future[Result]] = [pool.submit(task, item) for item in items]
            try:
                for future in futures:
                    result = future.result()
                    if on_done:
                        on_done(result)
                    results.append(result)
            except BrokenProcessPool as error:
                raise StorageError(
                    "a worker process was killed; nothing was committed",
                    remedy="look whether the machine ran out of memory and run the same command again",
                    retry=True,
                ) from error
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return results

    def session(self) -> None:
        """See `Runner.session`."""
        return

    def _pool(self, workers: int) -> Executor:
        if self.processes:
            return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        return ThreadPoolExecutor(workers, thread_name_prefix="xinglin")
