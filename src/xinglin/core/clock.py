"""The clock; no other module reads the current time."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "fixed_clock", "system_clock", "wall_clock"]

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The current time in UTC, to the second, or the time in SOURCE_DATE_EPOCH (reproducible-builds.org).

    Example:
        >>> system_clock().tzinfo is UTC
        True
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        return datetime.fromtimestamp(int(epoch), UTC)
    return datetime.now(UTC).replace(microsecond=0)


def wall_clock() -> datetime:
    """The current time in UTC. It ignores SOURCE_DATE_EPOCH, which would make an expired credential valid again.

    Example:
        >>> wall_clock().tzinfo is UTC
        True
    """
    return datetime.now(UTC)


def fixed_clock(moment: datetime) -> Clock:
    """A clock that always returns the same time.

    Example:
        >>> fixed_clock(datetime(2026, 1, 1, tzinfo=UTC))().year
        2026
    """
    return lambda: moment
