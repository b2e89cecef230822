"""A lake in HDFS. A rename that overwrites nothing is atomic at the NameNode; everything here rests on it.

Files are written under a hidden name and renamed when whole. HDFS cannot replace a file on a condition, so a pointer
is a folder of numbered files: the highest number is the pointer, and the next one can be made once.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from hdfs_native import Client, WriteOptions

from xinglin.core.errors import Conflict, NotFound, StorageError, UsageError
from xinglin.lake.storage.bounded import bounded
from xinglin.lake.storage.persist import persist
from xinglin.lake.storage.port import Content, Stored

__all__ = ["Hdfs"]

_TRIES = 4
_LIMIT = 10.0
_LIMIT_OF_READING = 600.0
_SLOWEST = 1_000_000.0
# A NameNode goes on naming a DataNode that has died until it misses its heartbeats.
_WAITS = (0.2, 1.0, 2.0, 4.0, 8.0, 16.0)
_CHUNK = 4_194_304
Result = TypeVar("Result")


@dataclass(frozen=True)
class Hdfs:
    """See `Objects`. Users are named by HADOOP_USER_NAME or Kerberos, name services by HADOOP_CONF_DIR.

    Args:
        url: ``hdfs://namenode:8020/folder`` or ``hdfs://nameservice/folder``.
        root: The folder.
    """

    url: str
    root: str
    _clients: list[Client] = field(repr=False, compare=False)

    @classmethod
    def at(cls, url: str) -> Hdfs:
        """Open ``hdfs://host:port/folder``.

        Raises:
            UsageError: The URL names no NameNode or no folder.
        """
        parts = urlsplit(url)
        folder = parts.path.rstrip("/")
        if not parts.netloc or not folder:
            raise UsageError("an hdfs: URL names a NameNode and a folder", source=url, remedy="hdfs://HOST:8020/FOLDER")
        return cls(url.rstrip("/"), folder, [_client(url)])

    def read(self, key: str) -> Content | None:
        """See `Objects.read`."""
        for _ in range(_TRIES):
            numbers = self._numbers(key)
            if not numbers:
                return None
            data = self._content(key, max(numbers))
            # One that was pruned between looking and reading has a newer one.
            if data is not None:
                return Content(data, str(max(numbers)))
        raise StorageError("the pointer changes faster than it can be read", source=f"{self.url}/{key}", retry=True)

    def replace(self, key: str, data: bytes, token: str | None) -> str:
        """See `Objects.replace`."""
        number = int(token or 0) + 1
        target = self._pointer(key, number)
        conflict = Conflict("somebody else has written it meanwhile", source=f"{self.url}/{key}")
        if max(self._numbers(key), default=0) != number - 1:
            raise conflict
        try:
            self._write(target, len(data), lambda file: file.write(data))
        except FileExistsError as error:
            # The NameNode may have taken the first of two tries whose answer was lost.
            if self._content(key, number) != data:
                raise conflict from error
        numbers = sorted(self._numbers(key))
        if numbers[-1] != number:
            raise conflict
        self.delete(f"{key}/{old:012d}" for old in numbers[:-2])
        return str(number)

    def upload(self, file: Path, key: str) -> None:
        """See `Objects.upload`."""
        path = f"{self.root}/{key}"

        def copy(target: Any) -> None:
            with file.open("rb") as source:
                shutil.copyfileobj(source, target, _CHUNK)

        try:
            self._write(path, file.stat().st_size, copy)
        except FileExistsError:
            now = int(time.time() * 1000)
            self._persist(lambda client: client.set_times(path, now, now))

    def download(self, key: str, file: Path) -> None:
        """See `Objects.download`."""

        def copy(client: Client) -> None:
            source = client.read(f"{self.root}/{key}")
            with file.open("wb") as target:
                for chunk in source.read_range_stream(0, len(source)):
                    target.write(chunk)

        try:
            self._persist(copy, _LIMIT_OF_READING)
        except FileNotFoundError as error:
            raise NotFound(
                "a file of the lake is not there",
                source=f"{self.url}/{key}",
                remedy="begin again: a newer state was published",
            ) from error

    def listing(self, prefix: str) -> Iterator[Stored]:
        """See `Objects.listing`."""
        for one in self._listed(f"{self.root}/{prefix}"):
            if not one.isdir:
                yield Stored(one.path.removeprefix(f"{self.root}/"), one.length, one.modification_time / 1000)

    def delete(self, keys: Iterable[str]) -> None:
        """See `Objects.delete`."""
        for key in keys:
            self._delete(f"{self.root}/{key}")

    def delta(self, key: str) -> tuple[str, dict[str, str]]:
        """See `Objects.delta`."""
        return f"{self.url}/{key}", {}

    def _delete(self, path: str) -> None:
        self._persist(lambda client: client.delete(path))

    def _pointer(self, key: str, number: int) -> str:
        return f"{self.root}/{key}/{number:012d}"

    def _content(self, key: str, number: int) -> bytes | None:
        try:
            return self._persist(lambda client: bytes(client.read(self._pointer(key, number)).read()))
        except FileNotFoundError:
            return None

    def _numbers(self, key: str) -> list[int]:
        names = [one.path.rpartition("/")[2] for one in self._listed(f"{self.root}/{key}")]
        return [int(name) for name in names if name.isdigit()]

    def _listed(self, path: str) -> list[Any]:
        try:
            return self._persist(lambda client: list(client.list_status(path, True)))
        except FileNotFoundError:
            return []

    def _write(self, path: str, size: int, fill: Callable[[Any], object]) -> None:
        """Make a file that was not there, whole or not at all.

        Raises:
            FileExistsError: It is there.
        """
        folder, _, name = path.rpartition("/")

        def write(client: Client) -> str:
            # Who was left alone with another name may still be writing to it.
            hidden = f"{folder}/.{name}.{uuid4().hex}"
            # Not client.create: what that gives is closed when it is collected as garbage, by any thread, and to close
            # a file whose DataNode has died can take for ever.
            target = client.inner.create(hidden, WriteOptions(create_parent=True))
            fill(target)
            target.close()
            return hidden

        hidden = self._persist(write, _LIMIT + size / _SLOWEST)
        try:
            self._persist(lambda client: client.rename(hidden, path))
        except FileExistsError:
            self._delete(hidden)
            raise
        except FileNotFoundError as error:
            # The hidden name is gone: the NameNode took the first of two tries whose answer was lost.
            raise FileExistsError(path) from error

    def _persist(self, ask: Callable[[Client], Result], seconds: float = _LIMIT) -> Result:
        """Ask again when a node went away in the middle, each time through a client of its own.

        hdfs-native waits without end for some answers of a DataNode that has died, and a client that does so answers
        nobody else either.

        Raises:
            StorageError: It failed every time.
        """
        lasting = (FileNotFoundError, FileExistsError)

        def once() -> Result:
            client = self._clients[-1]
            try:
                return bounded(lambda: ask(client), seconds)
            except lasting:
                raise
            except Exception:
                if self._clients[-1] is client:
                    self._clients.append(_client(self.url))
                raise

        refusal = StorageError(
            "HDFS does not do as it was asked",
            source=self.url,
            remedy="look whether the NameNode answers and enough DataNodes are alive",
            retry=True,
        )
        return persist(once, (OSError, RuntimeError, ValueError), lasting, refusal, _WAITS)


def _client(url: str) -> Client:
    return Client(f"hdfs://{urlsplit(url).netloc}")
