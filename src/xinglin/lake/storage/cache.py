"""Copies of data files on this machine. A name is made from the content, so a copy is never stale."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from xinglin.core.errors import StorageError
from xinglin.core.files import file_sha256

__all__ = ["Cache"]

_AT_ONCE = 8
_NUMBERS = count()


@dataclass(frozen=True)
class Cache:
    """A folder of copies that stays under a size, the longest unused going first.

    Args:
        folder: The folder.
        limit: Bytes it may hold. What was asked for within `grace` stays even beyond that, since a query may be
            about to open it.
        grace: Seconds.

    Example:
        >>> import hashlib, tempfile
        >>> cache = Cache(Path(tempfile.mkdtemp()), limit=1000)
        >>> key = f"t/{hashlib.sha256(b'rows').hexdigest()[:40]}.parquet"
        >>> [path] = cache.paths([key], lambda key, path: path.write_bytes(b"rows"))
        >>> Path(path).read_bytes()
        b'rows'
    """

    folder: Path
    limit: int
    grace: float = 3600.0

    def paths(self, keys: Sequence[str], fetch: Callable[[str, Path], object]) -> list[str]:
        """Copies of these files, fetched where they are missing.

        Args:
            keys: Keys of data files.
            fetch: Writes one of them to a path.

        Raises:
            StorageError: A file's content is not what its name says.
        """
        paths = [self.folder / key for key in keys]
        missing = [(key, path) for key, path in zip(keys, paths, strict=True) if not _touched(path)]
        if missing:
            with ThreadPoolExecutor(min(_AT_ONCE, len(missing))) as pool:
                list(pool.map(lambda one: self._fetch(one[0], one[1], fetch), missing))
            self.trim()
        return [str(path) for path in paths]

    def keep(self, file: Path, key: str) -> None:
        """Move a file that was just stored under `key` into the cache."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, path)

    def trim(self) -> None:
        """Delete the copies unused for longest until the rest fits."""
        found = []
        for path in self.folder.rglob("*"):
            try:
                about = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                found.append((about.st_mtime, about.st_size, path))
        total = sum(size for _, size, _ in found)
        for used, size, path in sorted(found):
            if total <= self.limit or used > time.time() - self.grace:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _fetch(self, key: str, path: Path, fetch: Callable[[str, Path], object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several machines may share the folder, and their processes have the same numbers.
        partial = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.{next(_NUMBERS)}")
        try:
            fetch(key, partial)
            if not file_sha256(partial).startswith(path.stem):
                raise StorageError("a file of the lake does not have the content its name says", source=key, retry=True)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def _touched(path: Path) -> bool:
    """Whether the copy is there; if so it counts as used now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
