"""What SQLite's refusals mean to whoever reads or writes a ledger, and what helps."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from xinglin.core.errors import LedgerUnavailable, NotFound, StorageError, VerificationFailed

__all__ = ["RESTORE", "ledger_errors", "require_file"]

RESTORE = "restore it: xinglin backup restore, or from the other institutions as docs/how-to/run/consortium.md says"
"""What helps a ledger whose file is damaged."""


def require_file(path: Path) -> None:
    """Ask for a ledger's file.

    Raises:
        NotFound: There is none.
    """
    if not path.exists():
        remedy = "alone: xinglin ledger anchor begins one; between institutions: xinglin ledger join, then start"
        raise NotFound("there is no ledger here", source=str(path), remedy=remedy)


def ledger_errors(path: Path) -> AbstractContextManager[None]:
    """Say what SQLite's refusals mean.

    Raises:
        LedgerUnavailable: Another process writes for too long.
        StorageError: The disk is full, read-only or gone.
        VerificationFailed: The file is damaged.
    """
    return _Translation(path)


class _Translation(AbstractContextManager[None]):
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
            if not str(error).startswith("no such"):
                remedy = "see that it is a file that this account may write, and that the disk has room"
                raise StorageError(f"the ledger's file refused: {error}", source=source, remedy=remedy) from error
        if isinstance(error, (sqlite3.DatabaseError, OverflowError)):
            raise VerificationFailed(f"the ledger's file is damaged: {error}", source=source, remedy=RESTORE) from error
