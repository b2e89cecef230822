"""Intake of live feeds into the spool: messages of many senders share one flush, and wait while the spool is full."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.errors import StorageError
from xinglin.core.group_commit import GroupCommit

if TYPE_CHECKING:
    from xinglin.landing import MessageSpool, ObjectSpool, Spool

__all__ = ["MessageIntake", "object_intake"]

_LOOK = 0.05
_OVERHEAD = 12


class MessageIntake:
    """Group commit: messages that arrive during a flush go with the next one.

    Args:
        spool: The spool to write to.
        patience: Seconds to wait for space; meanwhile the sender's connection is not read.
    """

    def __init__(self, spool: MessageSpool, patience: float) -> None:
        self._spool = spool
        self._patience = patience
        self._refusing = False
        self._group = GroupCommit(self._append, patience=-1)

    async def keep(self, messages: list[bytes]) -> None:
        """Make messages durable.

        Raises:
            StorageError: They cannot be stored.
        """
        if not messages:
            return
        size = sum(len(message) + _OVERHEAD for message in messages)
        deadline = time.monotonic() + self._patience
        while not (self._refusing or self._spool.has_room(size)):
            if time.monotonic() > deadline:
                raise _full(self._spool)
            await asyncio.sleep(_LOOK)
        if self._refusing:
            raise _ended(self._spool)
        await self._group.committed(messages)

    def _append(self, groups: list[list[bytes]]) -> None:
        if self._refusing:
            raise _ended(self._spool)
        self._spool.append([message for group in groups for message in group])

    def refuse(self) -> None:
        """Accept no more messages: senders get an error and keep theirs; the running flush completes."""
        self._refusing = True

    def close(self) -> None:
        """End the flushing thread."""
        self._group.close()


def object_intake(spool: ObjectSpool, patience: float, refusing: threading.Event) -> Callable[[Path], None]:
    """A function that moves a received object into the spool, and waits while the spool is full.

    Args:
        spool: The spool to write to.
        patience: Seconds to wait for space.
        refusing: Set when no more objects may be accepted.
    """

    def take(received: Path) -> None:
        deadline = time.monotonic() + patience
        while not (refusing.is_set() or spool.has_room(received.stat().st_size)):
            if time.monotonic() > deadline:
                raise _full(spool)
            time.sleep(_LOOK)
        if refusing.is_set():
            raise _ended(spool)
        spool.take(received)

    return take


def _ended(spool: Spool) -> StorageError:
    words = "the service is stopping; the sender keeps the message or object"
    return StorageError(words, source=str(spool.folder), retry=True)


def _full(spool: Spool) -> StorageError:
    return StorageError(
        "the spool is full; the sender keeps the message or object",
        source=str(spool.folder),
        retry=True,
    )
