"""Between the doors and the spool: many senders' messages share one flush, and wait while the spool is full."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.errors import StorageError

if TYPE_CHECKING:
    from xinglin.landing import MessageSpool, ObjectSpool, Spool

__all__ = ["MessageKeeper", "object_keeper"]

_LOOK = 0.05
_OVERHEAD = 12


class MessageKeeper:
    """Group commit: what arrives while one flush is under way goes with the next.

    Args:
        spool: Where messages are kept.
        patience: Seconds to wait for room; meanwhile the sender's connection is not read.
    """

    def __init__(self, spool: MessageSpool, patience: float) -> None:
        self._spool = spool
        self._patience = patience
        self._waiting: list[tuple[list[bytes], asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._refusing = False
        self._thread = ThreadPoolExecutor(1)

    async def keep(self, messages: list[bytes]) -> None:
        """Make messages durable.

        Raises:
            StorageError: They cannot be kept.
        """
        if not messages:
            return
        size = sum(len(message) + _OVERHEAD for message in messages)
        deadline = time.monotonic() + self._patience
        while not (self._refusing or self._spool.room(size)):
            if time.monotonic() > deadline:
                raise _full(self._spool)
            await asyncio.sleep(_LOOK)
        if self._refusing:
            raise _ended(self._spool)
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, kept))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        await kept

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken, self._waiting = self._waiting, []
            if self._refusing:
                for _, kept in taken:
                    if not kept.done():
                        kept.set_exception(_ended(self._spool))
                continue
            messages = [message for group, _ in taken for message in group]
            try:
                await loop.run_in_executor(self._thread, self._spool.append, messages)
            except Exception as error:
                for _, kept in taken:
                    if not kept.done():
                        kept.set_exception(error)
            else:
                for _, kept in taken:
                    if not kept.done():
                        kept.set_result(None)
        self._committing = None

    def refuse(self) -> None:
        """Keep nothing more: senders are told so, and have their messages still; what is being flushed is kept."""
        self._refusing = True

    def close(self) -> None:
        """End the thread that flushes."""
        self._thread.shutdown()


def object_keeper(spool: ObjectSpool, patience: float, refusing: threading.Event) -> Callable[[Path], None]:
    """Takes a received object into the spool; waits in the association's thread while the spool is full.

    Args:
        spool: Where objects are kept.
        patience: Seconds to wait for room.
        refusing: Set where nothing more may be kept.
    """

    def take(received: Path) -> None:
        deadline = time.monotonic() + patience
        while not (refusing.is_set() or spool.room(received.stat().st_size)):
            if time.monotonic() > deadline:
                raise _full(spool)
            time.sleep(_LOOK)
        if refusing.is_set():
            raise _ended(spool)
        spool.take(received)

    return take


def _ended(spool: Spool) -> StorageError:
    words = "nothing more may be taken in; the sender keeps it"
    return StorageError(words, source=str(spool.folder), retry=True)


def _full(spool: Spool) -> StorageError:
    return StorageError("too much waits to be landed; the sender keeps it", source=str(spool.folder), retry=True)
