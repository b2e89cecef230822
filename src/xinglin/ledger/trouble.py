"""What SQLite's refusals mean to whoever reads or writes a ledger."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from xinglin.core.errors import LedgerUnavailable, StorageError, VerificationFailed

__all__ = ["told"]


def told(path: Path) -> AbstractContextManager[None]:
    """Say what SQLite's refusals mean.

    Raises:
        LedgerUnavailable: Another process writes for too long.
        StorageError: The disk is full, read-only or gone.
        VerificationFailed: The file is damaged.
    """
    return _Told(path)


class _Told(AbstractContextManager[None]):
    """A class, not a generator: every read of a single value passes it."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        source = str(self._path)
        if isinstance(error, (sqlite3.OperationalError, OSError)):
            if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise LedgerUnavailable("another process is writing the ledger", source=source, retry=True) from error
            raise StorageError(
                f"the ledger's file refused: {error}", source=source, remedy="look at the disk"
            ) from error
        if isinstance(error, (sqlite3.DatabaseError, OverflowError)):
            raise VerificationFailed(
                f"the ledger's file is damaged: {error}", source=source, remedy="restore it from a peer or a backup"
            ) from error
