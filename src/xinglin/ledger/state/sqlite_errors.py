"""Translate SQLite errors to errors with remedies."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from xinglin.core.errors import LedgerUnavailable, NotFound, StorageError, VerificationFailed

__all__ = ["RESTORE", "ledger_errors", "require_file"]

RESTORE = "restore it: xinglin backup restore, or from the other institutions (docs/how-to/run/consortium.md)"
"""Remedy for a damaged ledger file."""


def require_file(path: Path) -> None:
    """Check that the ledger's file exists.

    Raises:
        NotFound: The file does not exist.
    """
    if not path.exists():
        remedy = "create one: xinglin ledger anchor; in a consortium: xinglin ledger join, then start"
        raise NotFound("there is no ledger here", source=str(path), remedy=remedy)


def ledger_errors(path: Path) -> AbstractContextManager[None]:
    """Translate SQLite errors that are raised in the block.

    Raises:
        LedgerUnavailable: Another process holds the write lock for too long.
        StorageError: The disk is full, read-only or missing.
        VerificationFailed: The file is damaged.
    """
    return _Translation(path)


class _Translation(AbstractContextManager[None]):
    """A class instead of a generator, for speed: used for every read of a single value."""

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
                remedy = "check the file's permissions and the free disk space"
                raise StorageError(
                    f"the ledger's file cannot be used: {error}", source=source, remedy=remedy
                ) from error
        if isinstance(error, (sqlite3.DatabaseError, OverflowError)):
            raise VerificationFailed(f"the ledger's file is damaged: {error}", source=source, remedy=RESTORE) from error
