"""A lake in a folder of this machine, or of a file system it mounts: readers get the files themselves."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xinglin.core.errors import Conflict
from xinglin.core.files import sync_file, write_atomic
from xinglin.lake.storage.port import Content, Stored

__all__ = ["Folder"]


@dataclass(frozen=True)
class Folder:
    """See `Storage`; a stage's writers exclude each other by a lock, so nothing needs a time of grace.

    Args:
        work: The folder.
    """

    work: Path
    grace: float = 0.0

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.work)

    def read(self, key: str) -> Content | None:
        """See `Storage.read`."""
        try:
            data = (self.work / key).read_bytes()
        except FileNotFoundError:
            return None
        return Content(data, _token(data))

    def replace(self, key: str, data: bytes, token: str | None) -> str:
        """See `Storage.replace`; the folder is locked between looking and replacing."""
        path = self.work / key
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            shown = self.read(key)
            if (shown.token if shown else None) != token:
                raise Conflict("somebody else has written it meanwhile", source=str(path))
            write_atomic(path, data)
            return _token(data)
        finally:
            os.close(handle)

    def adopt(self, files: Sequence[tuple[Path, str]]) -> None:
        """See `Storage.adopt`: a rename."""
        for file, key in files:
            target = self.work / key
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                # The same content was adopted before; it stays as it is, time stamp included.
                file.unlink()
            else:
                sync_file(file)
                os.replace(file, target)

    def paths(self, keys: Sequence[str]) -> list[str]:
        """See `Storage.paths`: nothing is copied."""
        return [str(self.work / key) for key in keys]

    def listing(self, prefix: str) -> Iterator[Stored]:
        """See `Storage.listing`."""
        for folder, _, names in os.walk(self.work / prefix):
            for name in names:
                path = Path(folder, name)
                try:
                    found = path.stat()
                except FileNotFoundError:
                    continue
                yield Stored(path.relative_to(self.work).as_posix(), found.st_size, found.st_mtime)

    def delete(self, keys: Iterable[str]) -> None:
        """See `Storage.delete`."""
        for key in keys:
            (self.work / key).unlink(missing_ok=True)

    def delta(self, key: str) -> tuple[str, dict[str, str]]:
        """See `Storage.delta`."""
        (self.work / key).mkdir(parents=True, exist_ok=True)
        return str(self.work / key), {}


def _token(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
