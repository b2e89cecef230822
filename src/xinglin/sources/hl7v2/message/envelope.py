"""Where messages begin and end in a file: batch envelopes, MLLP's frames and several messages one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xinglin.sources.limits import Limits
from xinglin.sources.record import KEPT, Rejected
from xinglin.sources.unpack import Stretch

__all__ = ["beginnings", "envelopes", "is_xml", "messages", "recognised", "stretches"]

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n\x0b\x1c\x00"
_MSH = re.compile(rb"MSH[^\w\s\x00-\x20\x7f-\xff]")
_HEAD = re.compile(rb"(?:MSH|FHS|BHS)[^\w\s\x00-\x20\x7f-\xff]{3}")
_ENDS = b"\r\n\x0b\x1c"
_ENVELOPE = re.compile(rb"[\r\n\x0b\x1c]+(?:FHS|BHS|BTS|FTS)(?=[^\w\r\n]|[\r\n]|$)[^\r\n]*")
_CHUNK = 4_000_000
_LONGEST_BEGINNING = 4


def recognised(head: bytes) -> bool:
    """Whether a file begins with a message or a batch envelope.

    Example:
        >>> recognised(b"\\x0bMSH|^~"), recognised(b"FHS|^~"), recognised(b"MSHA,b")
        (True, True, False)
    """
    start = head[:1_000].removeprefix(_BOM).lstrip(_BLANK)
    return bool(_HEAD.match(start))


def is_xml(head: bytes) -> bool:
    """Whether a file can be XML.

    Example:
        >>> is_xml(b" <ADT_A01>"), is_xml(b"MSH|")
        (True, False)
    """
    return head[:1_000].removeprefix(_BOM).lstrip(_BLANK)[:1] == b"<"


def messages(data: bytes, first: int) -> Iterator[tuple[int, bytes | Rejected]]:
    """The messages of a stretch with their numbers; what stands before the first of a file is number 0.

    Example:
        >>> list(messages(b"BHS|^~\\\\&|\\rMSH|^~\\\\&|1\\rPID|\\rMSH|^~\\\\&|2\\rBTS|2", 1))
        [(1, b'MSH|^~\\\\&|1\\rPID|'), (2, b'MSH|^~\\\\&|2')]
    """
    data = data.removeprefix(_BOM)
    starts = list(_beginnings(data))
    before = data[: starts[0]] if starts else data
    if first == 1 and _without_envelopes(b"\r" + before).strip(_BLANK):
        yield 0, Rejected("no-msh", "expected a message that begins with a segment MSH")
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(data)
        yield first + number, _without_envelopes(data[start:end])


def stretches(blocks: Iterator[bytes], limits: Limits) -> Iterator[Stretch]:
    """Stretches of whole messages; a message longer than a resource may be is counted, not kept.

    Example:
        >>> [(one.data, one.first) for one in stretches(iter([b"MSH|1\\rPI", b"D|\\rMSH|2\\r"]), Limits(chunk_bytes=9))]
        [(b'MSH|1\\rPID|\\r', 1), (b'MSH|2\\r', 2)]
    """
    cutter = _Cutter(limits)
    try:
        for block in blocks:
            yield from cutter.feed(block)
    except Rejected as broken:
        yield from cutter.finish(broken)
        return
    yield from cutter.finish(None)


class _Cutter:
    """Holds what may still be a part of the message under way."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.chunk = min(limits.chunk_bytes, _CHUNK)
        self.held: list[bytes] = []
        self.size = 0
        self.offset = 0
        self.first = 1
        self.skipped = -1
        self.beginning = b""
        self.last = b""

    def feed(self, block: bytes) -> Iterator[Stretch]:
        if self.skipped >= 0:
            yield from self._skip(block)
            return
        self.held.append(block)
        self.size += len(block)
        if self.size >= self.chunk:
            yield from self._cut()

    def finish(self, broken: Rejected | None) -> Iterator[Stretch]:
        if self.skipped >= 0:
            yield self._too_large()
            return
        data = b"".join(self.held)
        if broken is None:
            if data:
                yield Stretch(data, self.offset, self.first)
            return
        start = next(_last_beginning(data), 0)
        if start:
            yield Stretch(data[:start], self.offset, self.first)
        self.first += _count(data[:start])
        yield Stretch(data[start:][:KEPT], self.offset + start, self.first, len(data) - start, broken)

    def _cut(self) -> Iterator[Stretch]:
        data = b"".join(self.held)
        start = next(_last_beginning(data), 0)
        if start:
            yield Stretch(data[:start], self.offset, self.first)
            self.first += _count(data[:start])
            self.offset += start
            data = data[start:]
        if len(data) > self.limits.resource_bytes:
            self.skipped, self.beginning, self.last = len(data), data[:KEPT], data[-_LONGEST_BEGINNING:]
            data = b""
        self.held, self.size = ([data] if data else []), 0

    def _skip(self, block: bytes) -> Iterator[Stretch]:
        """Go on to where the next message begins."""
        joined = self.last + block
        start = next(_beginnings(joined, inside=True), None)
        if start is None:
            self.skipped += len(block)
            self.last = joined[-_LONGEST_BEGINNING:]
            return
        self.skipped += start - len(self.last)
        yield self._too_large()
        self.offset += self.skipped
        self.first += 1
        self.skipped = -1
        self.held, self.size = [], 0
        yield from self.feed(joined[start:])

    def _too_large(self) -> Stretch:
        rejected = Rejected("too-large", f"expected a message of at most {self.limits.resource_bytes} bytes")
        return Stretch(self.beginning, self.offset, self.first, self.skipped, rejected)


def beginnings(data: bytes) -> list[int]:
    """Where the messages of a stretch begin.

    Example:
        >>> beginnings(b"BHS|\\rMSH|1\\rPID|\\rMSH|2\\r")
        [5, 16]
    """
    return list(_beginnings(data))


def envelopes(data: bytes) -> bytes:
    """The batch headers and trailers that stand behind a message, each with its line end.

    Example:
        >>> envelopes(b"MSH|1\\rPID|\\rBTS|2\\rFTS|1\\r")
        b'BTS|2\\rFTS|1\\r'
    """
    found = (match.group().lstrip(_ENDS) for match in _ENVELOPE.finditer(data))
    return b"".join(one + b"\r" for one in found)


def _beginnings(data: bytes, inside: bool = False) -> Iterator[int]:
    """Where messages begin: MSH and a delimiter at the beginning of a line or frame."""
    for found in _MSH.finditer(data):
        start = found.start()
        if start == 0:
            if not inside:
                yield 0
        elif data[start - 1] in _ENDS or (data[start - 1] in b" \t" and not data[:start].rstrip(b" \t").strip(_BLANK)):
            yield start


def _last_beginning(data: bytes) -> Iterator[int]:
    end = len(data)
    while (start := data.rfind(b"MSH", 0, end)) > 0:
        if data[start - 1] in _ENDS and _MSH.match(data, start):
            yield start
        end = start


def _count(data: bytes) -> int:
    return sum(1 for _ in _beginnings(data))


def _without_envelopes(data: bytes) -> bytes:
    """A message without the batch headers and trailers that follow it."""
    if b"FTS" in data or b"BTS" in data or b"BHS" in data or b"FHS" in data:
        data = _ENVELOPE.sub(b"", data)
    return data.strip(b"\x0b\x1c\r\n\x00")
