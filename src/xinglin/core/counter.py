"""A number in a mapped file, by which all processes notice that one of them changed something.

It is odd from before a change can be seen until after, and even and the same only where nothing changed. Where a reader
finds it odd, a change is under way or whoever made it died there, and the reader has to look closer. It holds while the
machine runs: what a power failure takes from the file, nobody has in memory any more.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Counter"]

_NUMBER = 8


class Counter:
    """The number of changes to something; reading it costs less than a microsecond and no call of the system.

    A forked process opens it anew before it changes anything.

    Args:
        path: The file, made with mode 600 where it is missing. Its folder must exist.

    Example:
        >>> import tempfile; counter = Counter(Path(tempfile.mkdtemp()) / "changes")
        >>> with counter.changing(): counter.seen()
        1
        >>> counter.seen()
        2
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._handle).st_size < mmap.PAGESIZE:
            # A hole that a full disk cannot fill would kill the process; the number itself may be counting already.
            os.pwrite(self._handle, bytes(mmap.PAGESIZE - _NUMBER), _NUMBER)
        self._cell = memoryview(mmap.mmap(self._handle, mmap.PAGESIZE)).cast("Q")

    def __del__(self) -> None:
        os.close(self._handle)

    def seen(self) -> int:
        """The number now."""
        return self._cell[0]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Odd within, the next even number after; it stays odd where what is done within fails.

        Whoever changes holds a lock of their own and lets go of it within, when the change can be seen. The next one
        may have it at once, and waits here, so that the end of one change does not hide the beginning of another.
        """
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        try:
            self._cell[0] |= 1
            yield
            self._cell[0] += 1
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
