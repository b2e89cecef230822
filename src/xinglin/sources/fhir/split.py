"""From a path to parts that workers read: the one process that splits reads as little as it can."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from xinglin.sources.fhir.archive import Member, members
from xinglin.sources.fhir.check import Rejected
from xinglin.sources.fhir.discover import Codec, Found, codec_of, is_description
from xinglin.sources.fhir.limits import Limits
from xinglin.sources.fhir.part import Part
from xinglin.sources.fhir.sniff import is_json, is_lines, is_log
from xinglin.sources.fhir.unpack import KEPT, Stretch, stretches, unpack

__all__ = ["Received", "Splitter"]

_HEAD = 1_000_000
_SMALL_MEMBER = 32_000_000


@dataclass
class Received:
    """One received file, or a member of a received archive; filled in as it is read.

    Args:
        name: Relative to the path that was ingested; ``archive.zip/member`` for a member.
        role: resources, archive, member, log or description.
        path: Where it is.
        bytes: Its size as received.
        sha256: Of its bytes as received.
        rewritten: Whether its resources are cut out of a Bundle, so that the original has to be kept.
        in_archive: Whether it is a member of the archive before it.
        complete: Whether all of it could be read.
    """

    name: str
    role: str
    path: Path
    bytes: int = 0
    sha256: str = ""
    rewritten: bool = False
    in_archive: bool = False
    complete: bool = True


class Splitter:
    """Splits files into parts and keeps account of what was received.

    Args:
        limits: What is too large.

    Example:
        >>> import tempfile
        >>> from xinglin.sources.fhir.discover import discover
        >>> path = Path(tempfile.mkdtemp()) / "a.ndjson"
        >>> _ = path.write_bytes(b'{"resourceType":"Patient","id":"a"}\\n')
        >>> splitter = Splitter(Limits())
        >>> [part.form for found in discover(path) for part in splitter.parts(found)]
        ['lines']
        >>> splitter.received[0].bytes
        36
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.received: list[Received] = []

    def parts(self, found: Found) -> Iterator[Part]:
        """The parts of one file; afterwards `received` holds what is known about it."""
        source = len(self.received)
        entry = Received(found.name, found.role, found.path)
        self.received.append(entry)
        digest = hashlib.sha256()

        def seen(block: bytes) -> None:
            entry.bytes += len(block)
            digest.update(block)

        try:
            with found.path.open("rb") as file:
                if found.codec == "zip" or found.role == "description":
                    for block in iter(lambda: file.read(_HEAD), b""):
                        seen(block)
                else:
                    yield from self._file(source, entry, unpack(file, found.codec, self.limits, seen), found.codec)
        except OSError as error:
            detail = f"expected a readable file (errno {error.errno})"
            entry.complete = False
            yield Part(source, "rejected", first=0, reason="unreadable", detail=detail)
        entry.sha256 = digest.hexdigest()
        if found.codec == "zip":
            entry.rewritten = True
            yield from self._archive(source, found.path)

    def _file(self, source: int, entry: Received, blocks: Iterator[bytes], codec: Codec) -> Iterator[Part]:
        """A file's content decides whether it is lines or one document; its name only where it says NDJSON."""
        head, broken = _head(blocks)
        if is_log(head):
            entry.role = "log"
            for _ in blocks:
                pass
            return
        again = chain([head] if head else [], _raising(broken) if broken else blocks)
        path = entry.path if codec == "plain" and not entry.in_archive else None
        if is_lines(entry.name, head):
            for stretch in stretches(again, self.limits):
                yield _lines_part(source, stretch, path)
        else:
            yield self._document(source, again, head, path, entry)

    def _document(self, source: int, blocks: Iterator[bytes], head: bytes, path: Path | None, entry: Received) -> Part:
        """One whole document; larger ones than may be held are counted to their end, not kept."""
        kept: list[bytes] = []
        size = 0
        rejected: Rejected | None = None
        if not is_json(head):
            rejected = Rejected("not-fhir", "expected JSON, NDJSON or a zip archive of them")
        try:
            for block in blocks:
                size += len(block)
                if size > self.limits.document_bytes and rejected is None:
                    detail = f"expected a document of at most {self.limits.document_bytes} bytes"
                    rejected = Rejected("too-large", detail)
                if rejected is None and path is None:
                    kept.append(block)
        except Rejected as error:
            rejected = error
        if rejected is not None:
            start = head[:KEPT]
            return Part(source, "rejected", None, data=start, first=0, size=size, **_why(rejected))
        entry.rewritten = True
        if path is not None:
            return Part(source, "document", path, 0, size)
        return Part(source, "document", data=b"".join(kept), length=size)

    def _archive(self, source: int, path: Path) -> Iterator[Part]:
        try:
            inside = list(members(path, self.limits))
        except Rejected as rejected:
            yield Part(source, "rejected", first=0, size=self.received[source].bytes, **_why(rejected))
            return
        for member in inside:
            yield from self._member(self.received[source], path, member)

    def _member(self, archive: Received, path: Path, member: Member) -> Iterator[Part]:
        """Small members are read by the worker; large and packed ones here, block by block."""
        source = len(self.received)
        name = f"{archive.name}/{member.name}"
        entry = Received(name, "member", path, bytes=member.size, in_archive=True)
        self.received.append(entry)
        codec = codec_of(member.name)
        if member.rejected:
            yield Part(source, "rejected", member=member.name, first=0, size=member.size, **_why(member.rejected))
        elif is_description(member.name):
            entry.role = "description"
        elif codec == "plain" and member.size <= _SMALL_MEMBER:
            yield Part(source, "auto", path, length=member.size, member=member.name, unhashed=True)
        else:
            digest = hashlib.sha256()
            try:
                with zipfile.ZipFile(path) as archive_file, archive_file.open(member.name) as file:
                    blocks = unpack(file, codec, self.limits, digest.update)
                    for part in self._file(source, entry, blocks, codec):
                        yield replace(part, member=member.name)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
                detail = f"expected a readable member ({type(error).__name__})"
                yield Part(source, "rejected", member=member.name, first=0, reason="damaged-zip", detail=detail)
            entry.sha256 = digest.hexdigest()


def _head(blocks: Iterator[bytes]) -> tuple[bytes, Rejected | None]:
    """The first bytes, and why there are no more where the file breaks among them."""
    head = b""
    try:
        while len(head) < _HEAD and (block := next(blocks, b"")):
            head += block
    except Rejected as rejected:
        return head, rejected
    return head, None


def _raising(broken: Rejected) -> Iterator[bytes]:
    yield b""
    raise broken


def _lines_part(source: int, stretch: Stretch, path: Path | None) -> Part:
    if stretch.rejected:
        size = max(stretch.size, len(stretch.data))
        head = stretch.data[:KEPT]
        return Part(source, "rejected", data=head, first=stretch.first, size=size, **_why(stretch.rejected))
    if path is None:
        return Part(source, "lines", data=stretch.data, first=stretch.first, length=len(stretch.data))
    return Part(source, "lines", path, stretch.offset, len(stretch.data), first=stretch.first)


def _why(rejected: Rejected) -> dict[str, Any]:
    return {"reason": rejected.reason, "detail": rejected.detail}
