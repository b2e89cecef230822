"""From a path to parts that workers read: the one process that splits reads as little as it can."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from xinglin.sources.archive import Member, members
from xinglin.sources.discover import Codec, Found, codec_of, is_description
from xinglin.sources.formats import format_named, format_of, holds_records
from xinglin.sources.opened import Opened, Received, rejected_part
from xinglin.sources.part import Part
from xinglin.sources.reading import Reading
from xinglin.sources.record import Rejected
from xinglin.sources.unpack import unpack

__all__ = ["Splitter"]

_HEAD = 1_000_000
_SMALL_MEMBER = 32_000_000


class Splitter:
    """Splits files into parts and keeps account of what was received.

    Args:
        reading: How the files are read.

    Example:
        >>> import tempfile
        >>> from xinglin.sources.discover import discover
        >>> path = Path(tempfile.mkdtemp()) / "a.ndjson"
        >>> _ = path.write_bytes(b'{"resourceType":"Patient","id":"a"}\\n')
        >>> splitter = Splitter(Reading())
        >>> [part.form for found in discover(path) for part in splitter.parts(found)]
        ['lines']
        >>> splitter.received[0].bytes
        36
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
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
                if entry.role == "description" and holds_records(found.name, file.read(_HEAD), self.reading):
                    entry.role = "resources"
                file.seek(0)
                if found.codec == "zip" or entry.role == "description":
                    for block in iter(lambda: file.read(_HEAD), b""):
                        seen(block)
                else:
                    blocks = unpack(file, found.codec, self.reading.limits, seen)
                    yield from self._file(source, entry, blocks, found.codec)
        except OSError as error:
            detail = f"expected a readable file (errno {error.errno})"
            entry.complete = False
            yield Part(source, "rejected", first=0, reason="unreadable", detail=detail)
        entry.sha256 = digest.hexdigest()
        if found.codec == "zip":
            entry.rewritten = True
            yield from self._archive(source, found.path)

    def _file(self, source: int, entry: Received, blocks: Iterator[bytes], codec: Codec) -> Iterator[Part]:
        """A file's content decides which format it is, unless that was said; the format cuts it."""
        head, broken = _head(blocks)
        again = chain([head] if head else [], _raising(broken) if broken else blocks)
        path = entry.path if codec == "plain" and not entry.in_archive else None
        form = format_named(format_of(entry.name, head, self.reading))
        yield from form.cut(Opened(source, entry, head, again, path, self.reading))

    def _archive(self, source: int, path: Path) -> Iterator[Part]:
        try:
            inside = list(members(path, self.reading.limits))
        except Rejected as rejected:
            yield rejected_part(source, rejected, first=0, size=self.received[source].bytes)
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
            yield rejected_part(source, member.rejected, member=member.name, first=0, size=member.size)
        elif is_description(member.name, self.reading) and not self._recognised(path, member.name):
            entry.role = "description"
        elif codec == "plain" and member.size <= _SMALL_MEMBER:
            yield Part(source, "auto", path, length=member.size, member=member.name, unhashed=True, name=entry.name)
        else:
            digest = hashlib.sha256()
            try:
                with zipfile.ZipFile(path) as archive_file, archive_file.open(member.name) as file:
                    blocks = unpack(file, codec, self.reading.limits, digest.update)
                    for part in self._file(source, entry, blocks, codec):
                        yield replace(part, member=member.name)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
                detail = f"expected a readable member ({type(error).__name__})"
                yield Part(source, "rejected", member=member.name, first=0, reason="damaged-zip", detail=detail)
            entry.sha256 = digest.hexdigest()

    def _recognised(self, path: Path, name: str) -> bool:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(name) as file:
                return holds_records(name, file.read(_HEAD), self.reading)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, OSError):
            return False


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
