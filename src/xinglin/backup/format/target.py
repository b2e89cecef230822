"""The backup target: a folder, HDFS or S3, through the lake's storage port.

All files are written once and named by the SHA-256 of their bytes:

    keys/<repository>-<recipients>.<sha256>.age    the repository's secret, for these recipients
    objects/<first two>/<sha256>.age               pieces, compressed and encrypted
    backups/<name>.<sha256>.json                   the manifest of one backup, written last
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from xinglin.core.errors import Conflict, NotFound, StorageError, VerificationFailed
from xinglin.core.files import exclusive, full_disk, sync_folder
from xinglin.lake.storage import Local, Storage, open_storage
from xinglin.lake.storage.remote import Remote

__all__ = ["Target", "object_key"]

_NUMBERS = count()


def object_key(name: str) -> str:
    """Key of an object at the target.

    Example:
        >>> object_key("ab12")
        'objects/ab/ab12.age'
    """
    return f"objects/{name[:2]}/{name}.age"


class Target:
    """A backup target.

    Args:
        storage: Its storage.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._objects = storage.objects if isinstance(storage, Remote) else None
        self._touched: set[Path] = set()

    @classmethod
    def at(cls, url: str, work: Path | None = None, secrets: Path | None = None) -> Target:
        """Open a path or a ``file:``, ``s3:`` or ``hdfs:`` URL.

        Args:
            url: Path or URL.
            work: Local folder for temporary files of a remote target.
            secrets: TOML file of mode 600 with endpoint and keys of an object store; by default the environment.
        """
        if "://" not in url and not url.startswith("file:"):
            url = str(Path(url).absolute())
        return cls(open_storage(url, Local(work, secrets, cache_mb=0)))

    @property
    def url(self) -> str:
        """URL of the target."""
        return self._storage.url

    @property
    def grace(self) -> float:
        """Seconds in which an unreferenced object may belong to a backup in progress on another machine."""
        return self._storage.grace

    @property
    def folder(self) -> Path | None:
        """The folder of a local target; None for a remote one."""
        return None if self._objects else self._storage.work

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Lock the target on this machine and return a folder for temporary files.

        Raises:
            Conflict: Another process creates or prunes backups here.
            StorageError: The disk is full or read-only.
        """
        work = self._storage.work
        with full_disk(work):
            work.mkdir(parents=True, exist_ok=True)
            with exclusive(work / ".lock", doing="backups here"):
                folder = work / ".unfinished"
                # Files of an interrupted run are not used.
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                try:
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)

    def put(self, file: Path, key: str) -> None:
        """Move a durable file to the target."""
        if self._objects:
            self._objects.upload(file, key)
            file.unlink()
        else:
            self._storage.adopt([(file, key)])
            self._touched.add((self._storage.work / key).parent)

    def sync(self) -> None:
        """Make the names of all moved files durable."""
        while self._touched:
            folder = self._touched.pop()
            sync_folder(folder)
            sync_folder(folder.parent)

    @contextmanager
    def fetched(self, key: str, folder: Path) -> Iterator[Path]:
        """A local file with the content of `key`, for the duration of the block.

        Raises:
            VerificationFailed: The file is missing or cannot be read.
        """
        if not self._objects:
            [path] = self._storage.paths([key])
            if not Path(path).is_file():
                raise _missing(f"{self.url}/{key}")
            yield Path(path)
            return
        file = folder / f"fetched-{next(_NUMBERS)}"
        try:
            try:
                self._objects.download(key, file)
            except NotFound as error:
                raise _missing(f"{self.url}/{key}") from error
            yield file
        finally:
            file.unlink(missing_ok=True)

    def read(self, key: str, limit: int = 1 << 30) -> bytes:
        """Read a small file whose name has the first digits of its SHA-256 before the last dot.

        Raises:
            VerificationFailed: The bytes do not match the name.
        """
        with TemporaryDirectory() as folder, self.fetched(key, Path(folder)) as path:
            if path.stat().st_size > limit:
                raise StorageError("a file of the backup is too large", source=f"{self.url}/{key}")
            data = path.read_bytes()
        if not hashlib.sha256(data).hexdigest().startswith(key.rsplit(".", 2)[-2]):
            raise VerificationFailed("the file does not match the hash in its name", source=f"{self.url}/{key}")
        return data

    def sizes(self, folder: str) -> dict[str, int]:
        """Sizes of all files in a folder, by key."""
        listed = self._storage.listing(folder)
        return {one.key: one.size for one in listed if not one.key.rpartition("/")[2].startswith(".")}

    def older(self, folder: str, moment: float) -> set[str]:
        """Keys of files written before a time, in Unix seconds."""
        return {one.key for one in self._storage.listing(folder) if one.modified < moment}

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files."""
        self._storage.delete(keys)

    def check_present(self, wanted: dict[str, int]) -> None:
        """Check that files are present with these sizes.

        Raises:
            Conflict: A file is missing: another machine pruned in the meantime.
        """
        sizes = self.sizes("objects")
        for key, size in wanted.items():
            if sizes.get(key) != size:
                raise Conflict(
                    "an object of this backup was deleted during the backup",
                    source=f"{self.url}/{key}",
                    remedy="create the backup again",
                    retry=True,
                )


def _missing(where: str) -> VerificationFailed:
    return VerificationFailed("a file of the backup is missing", source=where)
