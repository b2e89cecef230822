"""The runner spark: Apache Spark decides where and when, the task itself reads and writes the lake.

Spark sees neither rows nor tables: an item goes out, a small result comes back, and what is between is the same
function as everywhere else. So a retried or a speculative attempt is safe: files get the name that their content
decides, and nothing is shown before the driver publishes.
"""

from __future__ import annotations

import itertools
import pickle
import queue
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from xinglin.core.errors import StorageError
from xinglin.lake import executor
from xinglin.lake.application import ARCHIVE, ATTEMPTS, await_executors, is_local

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext
    from pyspark.sql import SparkSession

__all__ = ["SparkRunner"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_TASKS_EACH = 16


class SparkRunner:
    """The executors of one Spark application.

    Args:
        context: From `application.spark_application`.
    """

    def __init__(self, context: SparkContext) -> None:
        self._context = context
        self._numbers = itertools.count()

    def map(
        self,
        task: Callable[[Item], Result],
        items: Sequence[Item],
        on_done: Callable[[Result], None] | None = None,
    ) -> list[Result]:
        """See `Runner.map`; the first task that fails ends the rest.

        Raises:
            StorageError: Executors were lost more often than Spark tries again, or there are none.
        """
        if not items:
            return []
        await_executors(self._context)
        inbox = _Inbox()
        group = f"xinglin-{id(self)}-{next(self._numbers)}"
        job = _job(self._context, self._spread(task, items, inbox), group, inbox)
        results: dict[int, Result] = {}
        try:
            while (news := inbox.queue.get()) is not None:
                number, result = _opened(news)
                if number not in results:
                    results[number] = result
                    if on_done:
                        on_done(result)
        except BaseException:
            while job.is_alive():
                self._context.cancelJobGroup(group)
                job.join(0.2)
            raise
        job.join()
        return [results[number] for number in range(len(items))]

    def session(self) -> SparkSession:
        """See `Runner.session`."""
        from pyspark.sql import SparkSession

        await_executors(self._context)
        return SparkSession(self._context)

    def _spread(self, task: Any, items: Sequence[Any], inbox: _Inbox) -> RDD[executor.Outcome]:
        """The items as a collection of Spark's, each the business of one Spark task."""
        from pyspark import cloudpickle
        from pyspark.accumulators import AddingAccumulatorParam

        by_value: Callable[[Any], None] = cloudpickle.register_pickle_by_value
        by_value(executor)
        context: Any = self._context
        # An accumulator is how Spark brings word of each task that ended well, once, while the job still runs.
        told = context.accumulator(inbox, AddingAccumulatorParam([]))
        archive = "" if is_local(context.master) else ARCHIVE
        function = executor.outcomes(executor.packed(task), archive, ATTEMPTS, told.add)
        pairs = [(number, executor.packed(item)) for number, item in enumerate(items)]
        tasks = min(len(pairs), _TASKS_EACH * context.defaultParallelism)
        # Dealt out like cards: items that stand together, such as the largest, go to different tasks.
        dealt = [pair for first in range(tasks) for pair in pairs[first::tasks]]
        spread: RDD[executor.Outcome] = context.parallelize(dealt, tasks).mapPartitions(function)
        return spread


class _Inbox:
    """Where outcomes arrive: an outcome, what made the job fail, or None when it has ended."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[executor.Outcome | Exception | None] = queue.SimpleQueue()

    def __iadd__(self, outcomes: list[executor.Outcome]) -> _Inbox:
        for outcome in outcomes:
            self.queue.put(outcome)
        return self


def _job(context: SparkContext, spread: RDD[executor.Outcome], group: str, inbox: _Inbox) -> Any:
    """A started thread that runs the job; what the accumulator lost comes with the job's own result."""
    from pyspark import InheritableThread

    def run() -> None:
        try:
            context.setJobGroup(group, "xinglin", interruptOnCancel=True)
            inbox.__iadd__(spread.collect())
            inbox.queue.put(None)
        except Exception as error:
            inbox.queue.put(error)

    thread = InheritableThread(target=run, daemon=True)
    thread.start()
    return thread


def _opened(news: executor.Outcome | Exception) -> tuple[int, Any]:
    """The number and the result of an outcome; what the task raised is raised here."""
    if isinstance(news, Exception):
        raise StorageError(
            "Spark gave the work up; nothing was committed",
            source=_reason(news),
            remedy="look at the executors' logs (memory, lost machines) and run the same command again",
            retry=True,
        ) from news
    number, well, content = news
    value = pickle.loads(content)  # noqa: S301 - from an executor of this application
    if well:
        return number, value
    error, text = value
    raise error from _InTheExecutor(text)


class _InTheExecutor(Exception):
    """The traceback in the executor, shown above the one in this process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _reason(error: Exception) -> str:
    """What Spark says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if "SparkException" in line or "Error:" in line] or lines or [type(error).__name__]
    return said[0][:300]
