"""Delimited text cut at the ends of records, so that several processes can read one file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from xinglin.sources.limits import Limits
from xinglin.sources.record import KEPT, Rejected
from xinglin.sources.tabular.files.delimited import Dialect
from xinglin.sources.unpack import Stretch

__all__ = ["cut_records"]


def cut_records(
    blocks: Iterator[bytes], dialect: Dialect, first: int, offset: int, limits: Limits
) -> Iterator[Stretch]:
    """Stretches of whole records of about a chunk each; a line longer than may be is counted, not kept.

    Args:
        blocks: The bytes from the first record on.
        dialect: How the fields stand; in its encoding a line feed is one byte.
        first: Number of the first line.
        offset: Where it begins.
        limits: Sizes.

    Example:
        >>> found = cut_records(iter([b'a,"b\\n', b'c"\\nd,e']), Dialect("utf-8", ","), 1, 0, Limits(chunk_bytes=2))
        >>> [(one.data, one.first) for one in found]
        [(b'a,"b\\nc"\\n', 1), (b'd,e', 3)]
    """
    return _Cutter(blocks, dialect, first, offset, limits).stretches()


class _Cutter:
    def __init__(self, blocks: Iterator[bytes], dialect: Dialect, first: int, offset: int, limits: Limits) -> None:
        self.blocks = blocks
        self.dialect = dialect
        self.first = first
        self.offset = offset
        self.limits = limits
        self.quotes = _Quotes(dialect)
        self.carry = b""
        self.looked = 0
        self.broken: Rejected | None = None

    def stretches(self) -> Iterator[Stretch]:
        end = 0
        while block := self._gathered():
            self.carry += block
            end = max(end, self._scan())
            if end:
                yield self._take(end)
                end = 0
            elif len(self.carry) > self.limits.resource_bytes:
                yield self._overlong()
        yield from self._rest(max(end, self._scan()) if self.broken else len(self.carry))

    def _gathered(self) -> bytes:
        """The next blocks, of a chunk's size together."""
        waiting: list[bytes] = []
        size = 0
        while size < self.limits.chunk_bytes and (block := self._next()):
            waiting.append(block)
            size += len(block)
        return b"".join(waiting)

    def _next(self) -> bytes:
        if self.broken is not None:
            return b""
        try:
            return next(self.blocks, b"")
        except Rejected as rejected:
            self.broken = rejected
            return b""

    def _scan(self) -> int:
        """Where the last record ends among the lines that were not looked at yet; 0 where none does."""
        stop = self.carry.rfind(b"\n") + 1
        if stop <= self.looked:
            return 0
        if not self.quotes.open and self.quotes.absent(self.carry, self.looked, stop):
            self.looked = stop
            return stop
        place, end = self.looked, 0
        for line in self.carry[self.looked : stop].split(b"\n")[:-1]:
            place += len(line) + 1
            if self.quotes.closed_after(line):
                end = place
        self.looked = stop
        return end

    def _take(self, end: int) -> Stretch:
        taken = Stretch(self.carry[:end], self.offset, self.first)
        self.first += taken.data.count(b"\n")
        self.offset += end
        self.carry = self.carry[end:]
        self.looked -= end
        return taken

    def _overlong(self) -> Stretch:
        """A quote that is not closed: its lines are left to the reader. One line without end: it is counted."""
        stop = self.carry.rfind(b"\n") + 1
        self.quotes = _Quotes(self.dialect)
        if stop:
            return self._take(stop)
        beginning, size, rest, ended = self.carry[:KEPT], len(self.carry), b"", 0
        while block := self._next():
            place = block.find(b"\n")
            if place >= 0:
                rest, size, ended = block[place + 1 :], size + place, 1
                break
            size += len(block)
        too_long = Rejected("too-large", f"expected at most {self.limits.resource_bytes} bytes")
        found = Stretch(beginning, self.offset, self.first, size, too_long)
        self.first, self.offset, self.carry, self.looked = self.first + 1, self.offset + size + ended, rest, 0
        return found

    def _rest(self, end: int) -> Iterator[Stretch]:
        if end:
            yield self._take(end)
        if self.broken is not None:
            yield Stretch(self.carry, self.offset, self.first, rejected=self.broken)


class _Quotes:
    """Whether a line ends within quotes, by the rules that rows are read with."""

    def __init__(self, dialect: Dialect) -> None:
        self.mark = b"" if dialect.quote == "none" else dialect.quote.encode()
        # The second byte of a double-byte letter can look like | and other signs beyond the digits.
        self.encoding = dialect.encoding if dialect.delimiter > "?" else "latin-1"
        self.whole, self.closing = _patterns(dialect.delimiter, dialect.quote)
        self.open = False

    def absent(self, data: bytes, start: int, stop: int) -> bool:
        return not self.mark or data.find(self.mark, start, stop) < 0

    def closed_after(self, line: bytes) -> bool:
        if self.mark and self.mark in line:
            text = line.decode(self.encoding, "replace")
            self.open = (self.closing if self.open else self.whole)(text) is None
        return not self.open


@lru_cache(maxsize=16)
def _patterns(delimiter: str, quote: str) -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    """What fits a line that begins outside of quotes and ends so; and one that begins within them."""
    mark, part = re.escape(quote), re.escape(delimiter)
    rest = rf"[^{part}]*+"
    field = rf"(?:{mark}(?:[^{mark}]++|{mark}{mark})*+{mark}{rest}|[^{part}{mark}]{rest}|)"
    whole = re.compile(rf"{field}(?:{part}{field})*+").fullmatch
    closing = re.compile(rf"(?:[^{mark}]++|{mark}{mark})*+{mark}{rest}(?:{part}{field})*+").fullmatch
    return whole, closing
