"""A limit on how long one call may take, for calls that have none of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

__all__ = ["bounded"]

Result = TypeVar("Result")


def bounded(ask: Callable[[], Result], seconds: float) -> Result:
    """What `ask` gives; after some seconds it is left alone in a thread of its own.

    Raises:
        TimeoutError: It took longer. Whether it comes to its end later is not known.

    Example:
        >>> bounded(lambda: 42, seconds=5)
        42
    """
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future.result(seconds)
