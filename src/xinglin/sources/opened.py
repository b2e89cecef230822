"""A file that was opened and looked at: what a format needs to cut it into parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xinglin.sources.limits import Limits
from xinglin.sources.part import Part
from xinglin.sources.reading import Reading
from xinglin.sources.record import KEPT, Rejected
from xinglin.sources.unpack import Stretch

__all__ = ["Opened", "Received", "rejected_part"]


@dataclass
class Received:
    """One received file, or a member of a received archive; filled in as it is read.

    Args:
        name: Relative to the path that was ingested; ``archive.zip/member`` for a member.
        role: resources, archive, member, log or description.
        path: Where it is.
        bytes: Its size as received.
        sha256: Of its bytes as received.
        rewritten: Whether its resources are made from it (cut out of a Bundle, converted from a message), so that the
            original has to be kept.
        in_archive: Whether it is a member of the archive before it.
        complete: Whether all of it could be read.
        facts: What else the manifest says of it, such as the watermark of a database's table.
    """

    name: str
    role: str
    path: Path
    bytes: int = 0
    sha256: str = ""
    rewritten: bool = False
    in_archive: bool = False
    complete: bool = True
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """A file, unpacked block by block.

    Args:
        source: Its index within the batch.
        entry: What is known about it.
        head: Its first bytes, at most a million.
        blocks: All its bytes, those of `head` included; raises `Rejected` where it breaks off.
        path: The file, where it is neither packed nor in an archive, so that a worker can read its stretches itself.
        reading: How it is read.
    """

    source: int
    entry: Received
    head: bytes
    blocks: Iterator[bytes]
    path: Path | None
    reading: Reading

    @property
    def limits(self) -> Limits:
        """What is too large."""
        return self.reading.limits

    def document(self, format: str, rejected: Rejected | None = None) -> Part:
        """The whole file as one document; a larger one than may be held is counted to its end, not kept.

        Args:
            format: Which format reads it.
            rejected: Why it is set aside, where that is known.
        """
        kept: list[bytes] = []
        size = 0
        try:
            for block in self.blocks:
                size += len(block)
                if size > self.limits.document_bytes and rejected is None:
                    detail = f"expected a document of at most {self.limits.document_bytes} bytes"
                    rejected = Rejected("too-large", detail)
                if rejected is None and self.path is None:
                    kept.append(block)
        except Rejected as error:
            rejected = error
        if rejected is not None:
            return rejected_part(self.source, rejected, data=self.head[:KEPT], first=0, size=size)
        self.entry.rewritten = True
        name = self.entry.name
        if self.path is not None:
            return Part(self.source, "document", self.path, 0, size, format=format, name=name)
        return Part(self.source, "document", data=b"".join(kept), length=size, format=format, name=name)

    def stretch(self, stretch: Stretch, format: str, context: bytes = b"") -> Part:
        """A stretch of whole records as a part."""
        if stretch.rejected:
            size = max(stretch.size, len(stretch.data))
            return rejected_part(
                self.source, stretch.rejected, data=stretch.data[:KEPT], first=stretch.first, size=size
            )
        common: dict[str, Any] = {"first": stretch.first, "format": format, "name": self.entry.name,
                                  "length": len(stretch.data), "context": context}  # fmt: skip
        if self.path is None:
            return Part(self.source, "lines", data=stretch.data, **common)
        return Part(self.source, "lines", self.path, stretch.offset, **common)


def rejected_part(source: int, rejected: Rejected, **more: Any) -> Part:
    """A part that is set aside as a whole."""
    return Part(source, "rejected", reason=rejected.reason, detail=rejected.detail, **more)
