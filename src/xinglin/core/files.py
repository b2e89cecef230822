"""Atomic and durable file writes, private files, and locks that end with their process."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xinglin.core.errors import Conflict, StorageError

__all__ = [
    "exclusive",
    "file_sha256",
    "first_private_file",
    "full_disk",
    "private_file",
    "sync_file",
    "sync_folder",
    "write_atomic",
]


@contextmanager
def full_disk(where: Path) -> Iterator[None]:
    """Raise a `StorageError` with a remedy when the disk is full or read-only.

    Example:
        >>> with full_disk(Path("/tmp")):
        ...     pass
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageError(
                "the disk is full; nothing was landed or committed",
                source=str(where),
                remedy="free disk space and run the same command again",
                retry=True,
            ) from error
        if error.errno == errno.EROFS:
            raise StorageError("the disk is read-only", source=str(where), remedy="mount it writable") from error
        raise


def sync_file(path: Path) -> None:
    """Make a file's bytes durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make the names inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, even after a crash, sees either the old or the new content.

    Args:
        path: The file; its folder must exist.
        content: The bytes.
        mode: Permission bits of the new file.

    Raises:
        StorageError: The disk is full or read-only; the old file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with full_disk(path):
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def private_file(path: Path, content: bytes) -> None:
    """Write a secret: mode 600 in a folder of mode 700."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, content, mode=0o600)


def first_private_file(path: Path, content: bytes) -> bytes:
    """Write a secret if the file does not exist; processes that create it at the same time all use the first one.

    Args:
        path: The file; its folder is created if needed.
        content: The bytes to write if the file does not exist.

    Returns:
        The content of the file.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "some.key"
        >>> first_private_file(path, b"one"), first_private_file(path, b"two")
        (b'one', b'one')
    """
    if not path.is_file():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        private_file(draft, content)
        try:
            with suppress(FileExistsError):
                os.link(draft, path)
            sync_folder(path.parent)
        finally:
            draft.unlink()
    return path.read_bytes()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def exclusive(path: Path, *, doing: str) -> Iterator[None]:
    """Hold a lock file while the block runs; the lock is released when the process ends, even if it is killed.

    Args:
        path: The lock file, created if needed.
        doing: The holder's activity, for the error of a second process.

    Raises:
        Conflict: Another process holds the lock.

    Example:
        >>> import tempfile
        >>> with exclusive(Path(tempfile.mkdtemp()) / "lock", doing="an example"):
        ...     pass
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"another process holds the lock for {doing}",
                source=str(path),
                remedy="wait until that process ends",
                retry=True,
            ) from error
        yield
