"""How an original is packed, and bytes that go through the same packing again."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

from xinglin.sources.discover import Codec
from xinglin.sources.limits import Limits
from xinglin.sources.record import Rejected
from xinglin.sources.unpack import unpack

__all__ = ["codec_in", "file_blocks", "member_blocks", "packed"]

_ZSTD = b"\x28\xb5\x2f\xfd"


def codec_in(path: Path) -> Codec:
    """How a kept original is packed, by its first bytes; what was packed by the landing is named ``.zst``."""
    if path.suffix == ".zst":
        return "zstd"
    with path.open("rb") as file:
        head = file.read(4)
    if head == _ZSTD:
        return "zstd"
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    return "zip" if head[:2] == b"PK" and zipfile.is_zipfile(path) else "plain"


def file_blocks(path: Path, codec: Codec, limits: Limits) -> Callable[[], Iterator[bytes]]:
    """The unpacked bytes of a file, as often as they are asked for."""

    def blocks() -> Iterator[bytes]:
        with path.open("rb") as file:
            yield from unpack(file, codec, limits, lambda block: None)

    return blocks


def member_blocks(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, codec: Codec, limits: Limits
) -> Callable[[], Iterator[bytes]]:
    """The unpacked bytes of an open archive's member, as often as they are asked for.

    Raises:
        Rejected: On the way, where the member cannot be read.
    """

    def blocks() -> Iterator[bytes]:
        try:
            with archive.open(info) as file:
                yield from unpack(file, codec, limits, lambda block: None)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
            raise Rejected("damaged-zip", f"expected a readable member ({type(error).__name__})") from None

    return blocks


def packed(out: IO[bytes], codec: Codec) -> AbstractContextManager[Any]:
    """Something to write to whose bytes come packed into `out`, without a time or a name among them."""
    if codec == "gzip":
        return gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0)
    if codec == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=3).stream_writer(out, closefd=False)
    return nullcontext(out)
