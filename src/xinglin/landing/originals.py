"""Originals of inputs whose resources were cut out and rewritten: Bundles and archives, by hash."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import IO

from xinglin.core.files import full_disk, sync_folder, write_atomic

__all__ = ["keep_object", "keep_original", "original_sha256"]

_PACKED = (".gz", ".zst", ".zstd", ".zip")


def keep_original(path: Path, name: str, sha256: str, folder: Path) -> str:
    """Copy an input into the folder of originals, unless it is there.

    Args:
        path: The input.
        name: Its name, which tells whether it is packed already.
        sha256: Of its bytes.
        folder: ``originals`` of the site.

    Returns:
        The name of the copy: the hash, with ``.zst`` where it was packed here.
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


def keep_object(content: bytes, folder: Path) -> str:
    """Keep an object as it was received, ready to be read at any place, unless it is there.

    Args:
        content: Its bytes.
        folder: ``originals`` of the site.

    Returns:
        Its name: the SHA-256 of its bytes.
    """
    name = hashlib.sha256(content).hexdigest()
    if not (folder / name).exists():
        with full_disk(folder):
            folder.mkdir(exist_ok=True)
            write_atomic(folder / name, content)
    return name


def _copy(source: IO[bytes], target: IO[bytes], packed: bool) -> None:
    if packed:
        shutil.copyfileobj(source, target, 1_000_000)
    else:
        import zstandard

        zstandard.ZstdCompressor(level=3).copy_stream(source, target)


def original_sha256(copy: Path) -> str:
    """The SHA-256 of an original as it was received."""
    with copy.open("rb") as file:
        if copy.suffix != ".zst":
            return hashlib.file_digest(file, "sha256").hexdigest()
        import zstandard

        digest = hashlib.sha256()
        with zstandard.ZstdDecompressor().stream_reader(file) as reader:
            while block := reader.read(1_000_000):
                digest.update(block)
        return digest.hexdigest()
