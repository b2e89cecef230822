"""A counter in a memory-mapped file that shows every process whether shared data has changed (a sequence lock).

The counter is odd while a change is in progress. It is even and unchanged only if nothing changed. A reader that finds
it odd must check the data itself, since a change is in progress or its writer was killed. The counter is valid while
the machine runs; it need not survive a power failure, because no process keeps data in memory across one.
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
    """The number of changes to shared data; reading it takes less than a microsecond and no system call.

    A forked process must open its own counter before it changes anything.

    Args:
        path: The file, created with mode 600 if it does not exist. Its folder must exist.

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
            # Writing to a sparse page on a full disk would kill the process; the number itself may be in use already.
            os.pwrite(self._handle, bytes(mmap.PAGESIZE - _NUMBER), _NUMBER)
        self._cell = memoryview(mmap.mmap(self._handle, mmap.PAGESIZE)).cast("Q")

    def __del__(self) -> None:
        os.close(self._handle)

    def seen(self) -> int:
        """The current number."""
        return self._cell[0]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Make the counter odd within the block and the next even number after it; it stays odd if the block fails.

        The writer holds a lock of its own and releases it within the block, once the change is visible. The next writer
        can take that lock immediately but waits here, so that the end of one change does not hide the start of the
        next.
        """
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        try:
            self._cell[0] |= 1
            yield
            self._cell[0] += 1
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
