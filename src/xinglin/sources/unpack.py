"""Blocks of bytes out of a plain, gzip or zstd file, and stretches of whole lines out of blocks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from xinglin.sources.discover import Codec
from xinglin.sources.limits import Limits
from xinglin.sources.record import KEPT, Rejected

__all__ = ["Stretch", "stretches", "unpack"]

_BLOCK = 4_000_000
_ZSTD_FEED = 2_048  # one such piece unpacks to 64 MB at most


def unpack(file: IO[bytes], codec: Codec, limits: Limits, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """The unpacked bytes of a file, block by block.

    Args:
        file: Opened for reading bytes.
        codec: How it is packed.
        limits: Ratio at which it is a bomb.
        seen: Told of all packed bytes, for their hash.

    Raises:
        Rejected: truncated-gzip, truncated-zstd, damaged-gzip, damaged-zstd, zip-bomb or unreadable; all that could
            be unpacked was given out before.
    """
    packed = unpacked = 0
    for block, size in _UNPACKERS[codec](_read(file, seen)):
        packed, unpacked = packed + size, unpacked + len(block)
        if unpacked > limits.ratio_bytes and unpacked > limits.ratio * max(packed, 1):
            raise Rejected("zip-bomb", f"expected at most {limits.ratio} bytes unpacked from each packed byte")
        if block:
            yield block


def _read(file: IO[bytes], seen: Callable[[bytes], None]) -> Iterator[bytes]:
    while True:
        try:
            block = file.read(_BLOCK)
        except OSError as error:
            raise Rejected("unreadable", f"expected a readable file (errno {error.errno})") from None
        if not block:
            return
        seen(block)
        yield block


def _plain(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    for block in blocks:
        yield block, len(block)


def _gzip(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    member: Any = zlib.decompressobj(wbits=31)
    members = 0
    begun = False
    for block in blocks:
        size, rest = len(block), block
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\x00")  # padding between and after members is allowed
                if not rest:
                    break
                member, begun = zlib.decompressobj(wbits=31), False
            try:
                out = member.decompress(rest, _BLOCK)
            except zlib.error:
                if members and not begun:
                    return  # what follows the last member is no gzip: gzip itself ignores it
                raise Rejected("damaged-gzip", "expected valid gzip data") from None
            begun = True
            yield out, size
            size = 0
            rest = member.unused_data if member.eof else member.unconsumed_tail
            members += member.eof
    while not member.eof:
        out = member.decompress(b"", _BLOCK) if begun else b""
        if not out:
            raise Rejected("truncated-gzip", "expected more gzip data")
        yield out, 0


def _zstd(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    import zstandard

    frame: Any = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
    for block in blocks:
        rest = block
        while rest:
            piece, rest = rest[:_ZSTD_FEED], rest[_ZSTD_FEED:]
            if frame.eof:
                frame = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
            try:
                out = frame.decompress(piece)
            except zstandard.ZstdError:
                raise Rejected("damaged-zstd", "expected valid zstd data") from None
            yield out, len(piece) - len(frame.unused_data)
            rest = frame.unused_data + rest
    if not frame.eof:
        raise Rejected("truncated-zstd", "expected more zstd data")


_UNPACKERS: dict[str, Callable[[Iterator[bytes]], Iterator[tuple[bytes, int]]]] = {
    "plain": _plain,
    "gzip": _gzip,
    "zstd": _zstd,
}


@dataclass(frozen=True)
class Stretch:
    """Whole lines, or the beginning of one line that is too long or breaks off.

    Args:
        data: The bytes.
        offset: Where they begin in the unpacked file.
        first: Number of the first line, from 1.
        size: Length of the line when only its beginning is in `data`.
        rejected: Why it cannot be used.
    """

    data: bytes
    offset: int
    first: int
    size: int = -1
    rejected: Rejected | None = None


def stretches(blocks: Iterator[bytes], limits: Limits) -> Iterator[Stretch]:
    """Stretches of whole lines of about `Limits.chunk_bytes`; a line longer than a resource may be is not kept.

    Example:
        >>> [(found.data, found.first) for found in stretches(iter([b"a\\nb", b"c\\n\\nd"]), Limits(chunk_bytes=2))]
        [(b'a\\n', 1), (b'bc\\n\\n', 2), (b'd', 4)]
    """
    source = _Blocks(blocks)
    carry, offset, line = b"", 0, 1
    for waiting in _gathered(source, limits.chunk_bytes):
        waiting.insert(0, carry)
        carry = _tail(waiting)
        data = b"".join(waiting)
        waiting.clear()
        if data:
            lines = data.count(b"\n")
            yield Stretch(data, offset, line)
            offset, line = offset + len(data), line + lines
        elif len(carry) > limits.resource_bytes:
            rest, size, ended = _after_line(source, len(carry))
            too_long = Rejected("too-large", f"expected at most {limits.resource_bytes} bytes")
            yield Stretch(carry[:KEPT], offset, line, size, too_long)
            carry, offset, line = rest, offset + size + ended, line + 1
        del data
    if source.broken is None:
        if carry:
            yield Stretch(carry, offset, line)
        return
    end = carry.rfind(b"\n") + 1
    if end:
        yield Stretch(carry[:end], offset, line)
    line += carry.count(b"\n", 0, end)
    yield Stretch(carry[end:], offset + end, line, rejected=source.broken)


class _Blocks:
    """An iterator that ends where the input breaks, and knows why."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.broken: Rejected | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._blocks)
        except Rejected as rejected:
            self.broken = rejected
            raise StopIteration from None


def _gathered(blocks: Iterator[bytes], least: int) -> Iterator[list[bytes]]:
    """Blocks that together have at least so many bytes; whoever takes a list may empty it."""
    while True:
        waiting: list[bytes] = []
        size = 0
        for block in blocks:
            waiting.append(block)
            size += len(block)
            if size >= least:
                break
        if not waiting:
            return
        yield waiting


def _tail(blocks: list[bytes]) -> bytes:
    """Take what stands behind the last line's end out of the blocks, before they are put together."""
    tail: list[bytes] = []
    while blocks:
        end = blocks[-1].rfind(b"\n") + 1
        if end:
            tail.append(blocks[-1][end:])
            blocks[-1] = blocks[-1][:end]
            break
        tail.append(blocks.pop())
    return b"".join(reversed(tail))


def _after_line(blocks: Iterator[bytes], size: int) -> tuple[bytes, int, bool]:
    """Skip to the end of a line; what follows it, its length, and whether it had an end."""
    for block in blocks:
        end = block.find(b"\n")
        if end >= 0:
            return block[end + 1 :], size + end, True
        size += len(block)
    return b"", size, False
