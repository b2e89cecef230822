"""Asking again: a server that was restarted, or a node that went away, need not end an hour's work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from xinglin.core.errors import StorageError

__all__ = ["persist"]

_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
Result = TypeVar("Result")


def persist(
    ask: Callable[[], Result],
    passing: tuple[type[Exception], ...],
    lasting: tuple[type[Exception], ...],
    refusal: StorageError,
    waits: tuple[float, ...] = _WAITS,
) -> Result:
    """What `ask` gives, asked again after each pause when it fails in a way that may pass.

    Args:
        ask: Can be asked twice without harm.
        passing: Failures after which it is asked again.
        lasting: Those among them that come through at once.
        refusal: Raised when it failed every time.
        waits: Pauses in seconds.

    Raises:
        StorageError: It failed every time.

    Example:
        >>> answers = iter([OSError(), 42])
        >>> def ask():
        ...     answer = next(answers)
        ...     if isinstance(answer, OSError):
        ...         raise answer
        ...     return answer
        >>> persist(ask, (OSError,), (FileNotFoundError,), StorageError("gone"), waits=(0.0,))
        42
    """
    for wait in (*waits, None):
        try:
            return ask()
        except lasting:
            raise
        except passing as error:
            if wait is None:
                raise refusal from error
            time.sleep(wait)
    raise refusal
