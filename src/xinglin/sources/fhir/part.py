"""What a worker is given to read, and how it becomes records."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from xinglin.sources.fhir.bundle import entries
from xinglin.sources.fhir.check import Rejected, Resource, check
from xinglin.sources.fhir.limits import Limits
from xinglin.sources.fhir.sniff import is_json, is_lines, is_log

__all__ = ["Form", "Part", "Record", "digest_of", "read", "records"]

Form = Literal["lines", "document", "auto", "rejected"]
_BOM = b"\xef\xbb\xbf"
_CACHED = 500_000


@dataclass(frozen=True)
class Part:
    """A stretch of one source: lines of NDJSON, one whole document, or something already known to be unreadable.

    Args:
        source: Index of the source within the batch.
        form: How to read the bytes; ``auto`` where the first bytes decide.
        path: The file, unless `data` is given.
        offset: First byte of it.
        length: Number of bytes; -1 for all.
        member: Member of the archive, where the file is one.
        data: The bytes, where they had to be unpacked first.
        first: Position of the first record.
        reason: Why it cannot be read (form ``rejected``).
        detail: What was expected instead; never a value.
        size: Length of the record where `data` is only its beginning.
        unhashed: Whether whoever reads it has to tell its SHA-256 (`digest_of`).
    """

    source: int
    form: Form
    path: Path | None = None
    offset: int = 0
    length: int = -1
    member: str | None = None
    data: bytes | None = None
    first: int = 1
    reason: str = ""
    detail: str = ""
    size: int = -1
    unhashed: bool = False


class Record(msgspec.Struct, frozen=True, gc=False):
    """One received record: where it stood and what became of it."""

    position: int
    found: Resource | Rejected
    raw: bytes
    size: int = -1


def read(part: Part) -> bytes:
    """The bytes of a part.

    Raises:
        Rejected: The file or the archive's member cannot be read.
    """
    if part.data is not None:
        return part.data
    if part.path is None:
        return b""
    try:
        if part.member is not None:
            state = part.path.stat()
            return _archive(part.path, (state.st_ino, state.st_size, state.st_mtime_ns)).read(part.member)
        with part.path.open("rb") as file:
            file.seek(part.offset)
            return file.read(part.length)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise Rejected("damaged-zip", f"expected a readable member ({type(error).__name__})") from None
    except OSError as error:
        raise Rejected("unreadable", f"expected a readable file (errno {error.errno})") from None
    except Exception as error:  # zlib and lzma raise errors of their own kinds
        raise Rejected("damaged-zip", f"expected a readable member ({type(error).__name__})") from None


def digest_of(part: Part) -> str:
    """The SHA-256 of a part's bytes; empty where they cannot be read."""
    try:
        return hashlib.sha256(read(part)).hexdigest()
    except Rejected:
        return ""


def records(part: Part, limits: Limits) -> Iterator[Record]:
    """The records of a part, in their order; never raises because of what is in it.

    Args:
        part: What to read.
        limits: What is too large or too deep.

    Example:
        >>> part = Part(source=0, form="lines", data=b'{"resourceType":"Patient","id":"a"}\\n\\n[]\\n')
        >>> [(record.position, getattr(record.found, "reason", "landed")) for record in records(part, Limits())]
        [(1, 'landed'), (3, 'not-fhir')]
    """
    if part.form == "rejected":
        yield Record(part.first, Rejected(part.reason, part.detail), part.data or b"", part.size)
        return
    try:
        data = read(part)
    except Rejected as rejected:
        yield Record(0, rejected, b"")
        return
    form = part.form
    if form == "auto":
        if not is_json(data) or is_log(data):
            yield Record(0, Rejected("not-fhir", "expected JSON, NDJSON or a zip archive of them"), data)
            return
        form = "lines" if is_lines(part.member or "", data) else "document"
    if form == "document":
        yield from _document(data.removeprefix(_BOM), part.first, limits)
    else:
        yield from _lines(data.removeprefix(_BOM) if part.first == 1 else data, part.first, limits)


def _lines(data: bytes, first: int, limits: Limits) -> Iterator[Record]:
    for position, line in enumerate(_split(data), first):
        if not line:
            continue
        try:
            found = check(line, limits)
        except Rejected as rejected:
            if line := line.strip():
                yield Record(position, rejected, line)
            continue
        if found.resource_type == "Bundle":
            for record in _document(line, 1, limits):
                yield Record(position, record.found, record.raw, record.size)
        else:
            yield Record(position, found, line)


def _split(data: bytes) -> Iterator[bytes]:
    """Lines, cut out shortly before they are needed, so that they are still in the processor's cache."""
    start, size = 0, len(data)
    while start < size:
        end = data.find(b"\n", min(start + _CACHED, size)) + 1 or size
        yield from data[start : end - 1 if data[end - 1] == 10 else end].split(b"\n")
        start = end


def _document(data: bytes, first: int, limits: Limits) -> Iterator[Record]:
    """One resource, or the entries of a Bundle; a document that breaks off is one record."""
    data = data.strip()
    if not data:
        return
    try:
        inside = entries(data, limits)
    except Rejected as rejected:
        yield Record(0, rejected, data)
        return
    if inside is None:
        try:
            yield Record(first, check(data, limits), data)
        except Rejected as rejected:
            yield Record(first, rejected, data)
        return
    for position, text in inside:
        if isinstance(text, Rejected):
            yield Record(position, text, b"")
            continue
        try:
            yield Record(position, check(text, limits), text)
        except Rejected as rejected:
            yield Record(position, rejected, text)


@lru_cache(maxsize=4)
def _archive(path: Path, state: tuple[int, int, int]) -> zipfile.ZipFile:
    """An open archive stays open while the file is the same, so its list of members is read once a worker."""
    return zipfile.ZipFile(path)
