"""What a Spark executor runs for `SparkRunner`.

This module is serialized by value, because an executor may have Xinglin only from the archive sent to it; so it imports
nothing of Xinglin, only Python's standard library and pyspark.
"""

from __future__ import annotations

import gc
import pickle
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["Outcome", "outcomes", "packed"]

Outcome = tuple[int, bool, bytes]
"""Number of the item, whether its task ended well, and what it gave or raised."""


def outcomes(
    task: bytes, archive: str, attempts: int, tell: Callable[[list[Outcome]], None]
) -> Callable[[Iterable[tuple[int, bytes]]], Iterator[Outcome]]:
    """The function that Spark applies to the items of one of its tasks.

    Args:
        task: The packed function.
        archive: Name of the archive with Xinglin's code; empty where the executor has the code.
        attempts: How often Spark tries one task.
        tell: Brings outcomes to the driver when the Spark task ends well.
    """

    def run(items: Iterable[tuple[int, bytes]]) -> Iterator[Outcome]:
        from pyspark import SparkFiles, TaskContext

        if archive and (folder := SparkFiles.get(archive)) not in sys.path:
            sys.path.insert(0, folder)
        context = TaskContext.get()
        last = context is None or context.attemptNumber() + 1 >= attempts
        for number, item in items:
            try:
                function, argument = (pickle.loads(content) for content in (task, item))  # noqa: S301 - from the driver
                outcome = (number, True, packed(function(argument)))
            except Exception as error:
                # What may go well elsewhere or later is left to Spark, which tries again; the rest would fail again.
                if getattr(error, "retry", False) and not last:
                    raise
                outcome = (number, False, _packed_error(error))
            tell([outcome])
            yield outcome
        if not gc.get_freeze_count():
            # pyspark's worker collects garbage after every task, which takes longer than a small task when all the
            # loaded modules are looked through.
            gc.collect()
            gc.freeze()

    return run


def packed(value: Any) -> bytes:
    """A value as bytes; functions and classes of a script travel by value."""
    from pyspark import cloudpickle

    dumps: Callable[[Any], bytes] = cloudpickle.dumps
    return dumps(value)


def _packed_error(error: Exception) -> bytes:
    """The error itself and its traceback; one that cannot travel goes as its name and message."""
    text = "".join(traceback.format_exception(error))
    try:
        content = packed((error, text))
        pickle.loads(content)  # noqa: S301 - packed just now
    except Exception:
        return packed((RuntimeError(f"{type(error).__name__}: {error}"), text))
    return content
