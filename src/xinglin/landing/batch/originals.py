"""Originals of received files, stored by hash: Bundles, archives, messages, tables and objects."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import IO

from xinglin.core.files import full_disk, sync_folder

__all__ = ["Objects", "keep_original", "kept_name", "original_sha256"]

_PACKED = (".gz", ".zst", ".zstd", ".zip")


def keep_original(path: Path, name: str, sha256: str, folder: Path) -> str:
    """Copy an input into the folder of originals unless it is stored already.

    Args:
        path: The input.
        name: Its name; its suffix says whether it is compressed already.
        sha256: SHA-256 of its bytes.
        folder: ``originals`` of the site.

    Returns:
        The name of the copy: the hash, with ``.zst`` if it was compressed here.
    """
    packed = name.lower().endswith(_PACKED)
    copy = folder / (sha256 if packed else f"{sha256}.zst")
    if copy.exists():
        return copy.name
    temporary = folder / f".{copy.name}.{os.getpid()}.tmp"
    with full_disk(folder):
        folder.mkdir(exist_ok=True)
        try:
            with path.open("rb") as source, temporary.open("wb") as target:
                _copy(source, target, packed)
                target.flush()
                os.fsync(target.fileno())
            os.replace(temporary, copy)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(folder)
    return copy.name


class Objects:
    """Objects stored unchanged and uncompressed (readable at any offset), each under the SHA-256 of its bytes.

    Flushing one file costs as much as flushing many. A task's objects therefore have temporary names and get their
    final names together, once all of them are durable.

    Args:
        folder: ``originals`` of the site.

    Example:
        >>> import tempfile
        >>> objects = Objects(Path(tempfile.mkdtemp()) / "originals")
        >>> name = objects.keep(b"one")
        >>> objects.publish()
        >>> (objects.folder / name).read_bytes()
        b'one'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: dict[str, Path] = {}

    def keep(self, content: bytes) -> str:
        """Write an object unless it is stored already; return its name."""
        name = hashlib.sha256(content).hexdigest()
        if name not in self._waiting and not (self.folder / name).exists():
            temporary = self.folder / f".{name}.{os.getpid()}.tmp"
            self._waiting[name] = temporary
            with full_disk(self.folder):
                self.folder.mkdir(exist_ok=True)
                temporary.write_bytes(content)
        return name

    def publish(self) -> None:
        """Give all objects their final names, durably."""
        with full_disk(self.folder):
            for temporary in self._waiting.values():
                handle = os.open(temporary, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            for name, temporary in self._waiting.items():
                os.replace(temporary, self.folder / name)
            if self._waiting:
                sync_folder(self.folder)
        self._waiting.clear()

    def discard(self) -> None:
        """Delete objects without a final name."""
        for temporary in self._waiting.values():
            temporary.unlink(missing_ok=True)
        self._waiting.clear()


def _copy(source: IO[bytes], target: IO[bytes], packed: bool) -> None:
    if packed:
        shutil.copyfileobj(source, target, 1_000_000)
    else:
        import zstandard

        zstandard.ZstdCompressor(level=3).copy_stream(source, target)


def kept_name(copy: Path, packed_here: bool) -> str:
    """Name of the stored original of these bytes: its SHA-256, and a suffix if it was compressed here.

    Args:
        copy: The bytes as they will be stored.
        packed_here: Whether the landing compressed them with zstd.
    """
    if not packed_here:
        return original_sha256(copy)
    return f"{_unpacked_sha256(copy)}.zst"


def original_sha256(copy: Path) -> str:
    """The SHA-256 of an original as received."""
    if copy.suffix == ".zst":
        return _unpacked_sha256(copy)
    with copy.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked_sha256(copy: Path) -> str:
    import zstandard

    digest = hashlib.sha256()
    with copy.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
        while block := reader.read(1_000_000):
            digest.update(block)
    return digest.hexdigest()
