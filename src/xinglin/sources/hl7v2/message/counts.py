"""Whether a batch holds as many messages as its trailer says (HL7 v2.8, 2.10.3: BTS-1; FTS-1 counts batches)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xinglin.sources.record import Rejected

__all__ = ["BatchCounts"]

_MARK = re.compile(rb"(?:^|(?<=[\r\n\x0b\x1c]))(MSH|BHS|BTS|FTS)([^\w\s])([0-9]*)")


class BatchCounts:
    """Counts the messages of a file from one batch header to its trailer.

    Example:
        >>> counts = BatchCounts()
        >>> [one.detail for one in counts.feed(b"BHS|^~\\\\&\\rMSH|^~\\\\&\\rBTS|3\\rFTS|1\\r")]
        ['expected 3 messages as BTS-1 says, found 1']
    """

    def __init__(self) -> None:
        self._messages = 0
        self._batches = 0

    def feed(self, data: bytes) -> Iterator[Rejected]:
        """Look at the next whole messages of the file.

        Args:
            data: The bytes, with what stands between the messages.
        """
        for found in _MARK.finditer(data):
            yield from self._seen(found[1], found[3])

    def _seen(self, name: bytes, count: bytes) -> Iterator[Rejected]:
        if name == b"MSH":
            self._messages += 1
        elif name == b"BHS":
            self._messages = 0
        elif name == b"BTS":
            self._batches += 1
            if count and int(count) != self._messages:
                yield _differs("messages", "BTS-1", int(count), self._messages)
            self._messages = 0
        elif count and int(count) != self._batches:
            yield _differs("batches", "FTS-1", int(count), self._batches)


def _differs(what: str, place: str, said: int, found: int) -> Rejected:
    return Rejected("batch-count", f"expected {said} {what} as {place} says, found {found}")
