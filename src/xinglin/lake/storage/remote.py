"""A lake elsewhere: files are written here first and stored when finished, and read through a cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from xinglin.lake.storage.cache import Cache
from xinglin.lake.storage.port import Content, Objects, Stored

__all__ = ["Remote"]

_AT_ONCE = 8


@dataclass(frozen=True)
class Remote:
    """See `Storage`.

    Args:
        objects: Where the lake is.
        work: Folder on this machine for locks, unfinished files and the cache.
        cache: Copies of data files.
        grace: See `Storage`: another machine may be writing.
    """

    objects: Objects
    work: Path
    cache: Cache
    grace: float = 3600.0

    @property
    def url(self) -> str:
        """Where the lake is."""
        return self.objects.url

    def read(self, key: str) -> Content | None:
        """See `Storage.read`."""
        return self.objects.read(key)

    def replace(self, key: str, data: bytes, token: str | None) -> str:
        """See `Storage.replace`."""
        return self.objects.replace(key, data, token)

    def adopt(self, files: Sequence[tuple[Path, str]]) -> None:
        """See `Storage.adopt`; what is read next on this machine need not be fetched."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._adopt, files))

    def _adopt(self, one: tuple[Path, str]) -> None:
        self.objects.upload(*one)
        self.cache.keep(*one)

    def paths(self, keys: Sequence[str]) -> list[str]:
        """See `Storage.paths`."""
        return self.cache.paths(keys, self.objects.download)

    def listing(self, prefix: str) -> Iterator[Stored]:
        """See `Storage.listing`."""
        return self.objects.listing(prefix)

    def delete(self, keys: Iterable[str]) -> None:
        """See `Storage.delete`."""
        self.objects.delete(keys)

    def delta(self, key: str) -> tuple[str, dict[str, str]]:
        """See `Storage.delta`."""
        return self.objects.delta(key)
