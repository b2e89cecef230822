"""What a worker is given to read."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from xinglin.sources.record import Rejected

__all__ = ["Form", "Part", "digest_of", "read"]

_GIVES = {"hl7v2": 8}
Form = Literal["lines", "document", "auto", "rejected"]


@dataclass(frozen=True)
class Part:
    """A stretch of one source: a number of its records, one whole document, or something known to be unreadable.

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
        format: Which format reads it; ``auto`` where the first bytes decide.
        name: Name of the file, for formats whose records depend on it.
        context: What stands before the first part and is needed to read the others: a table's head.
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
    format: str = "auto"
    name: str = ""
    context: bytes = b""

    @property
    def work(self) -> int:
        """About how many bytes of resources it gives: a message becomes many times its own length."""
        return max(self.length, 0) * _GIVES.get(self.format, 1)


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


@lru_cache(maxsize=4)
def _archive(path: Path, state: tuple[int, int, int]) -> zipfile.ZipFile:
    """An open archive stays open while the file is the same, so its list of members is read once a worker."""
    return zipfile.ZipFile(path)
