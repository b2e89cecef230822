"""What lies at a path: which files hold resources, which only tell about them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xinglin.core.errors import NotFound
from xinglin.sources.reading import Reading

__all__ = ["Codec", "Found", "Role", "codec_of", "discover", "is_description"]

Role = Literal["resources", "archive", "description"]
Codec = Literal["plain", "gzip", "zstd", "zip"]

_DESCRIPTIONS = re.compile(
    r"(?i)(.*\.(md|html?|pdf|sha256|sha512|md5|sig|asc)|readme|licen[cs]e|notice|\.ds_store|thumbs\.db"
    r"|desktop\.ini|\._.*)"
).fullmatch
_TEXTS = re.compile(r"(?i).*\.(txt|log)").fullmatch
_TEXT_FORMATS = ("hl7v2", "tabular")
_CODECS: dict[str, Codec] = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".zip": "zip"}


@dataclass(frozen=True)
class Found:
    """One file at the path.

    Args:
        name: Its name relative to the path, with ``/``.
        path: Where it is.
        codec: How it is packed, by its ending.
        role: ``description`` for README, checksums and the like: they are listed in the manifest and hold no
            records.
        size: Its size in bytes; 0 where it cannot be told.
    """

    name: str
    path: Path
    codec: Codec
    role: Role
    size: int


def discover(path: Path, reading: Reading | None = None) -> list[Found]:
    """The files at a path, in order of their names; links to folders are followed once.

    Args:
        path: A file or a folder.
        reading: How the files will be read; messages and tables come as text files, too.

    Raises:
        NotFound: There is nothing at the path.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("b.ndjson.gz", "a.json", "README.md"):
        ...     _ = (folder / name).write_bytes(b"")
        >>> [(found.name, found.codec, found.role) for found in discover(folder)]
        [('README.md', 'plain', 'description'), ('a.json', 'plain', 'resources'), ('b.ndjson.gz', 'gzip', 'resources')]
    """
    if not path.exists():
        raise NotFound("there is nothing at this path", source=str(path))
    if not path.is_dir():
        return [_found(path.name, path, None)]
    names: list[tuple[str, Path]] = []
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(path, followlinks=True):
        here = Path(folder).stat()
        if (here.st_dev, here.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        subfolders.sort()
        for file in files:
            place = Path(folder, file)
            names.append((place.relative_to(path).as_posix(), place))
    return [_found(name, place, reading or Reading()) for name, place in sorted(names)]


def codec_of(name: str) -> Codec:
    """How a file is packed, by its ending.

    Example:
        >>> codec_of("a.ndjson.GZ")
        'gzip'
    """
    for ending, codec in _CODECS.items():
        if name.lower().endswith(ending):
            return codec
    return "plain"


def is_description(name: str, reading: Reading) -> bool:
    """Whether the name says that the file tells about the others: README, licence, checksums, resource forks.

    Example:
        >>> is_description("x/a.txt", Reading()), is_description("x/a.txt", Reading("hl7v2"))
        (True, False)
    """
    last = name.rsplit("/", 1)[-1]
    return bool(_DESCRIPTIONS(last) or (_TEXTS(last) and reading.format not in _TEXT_FORMATS))


def _found(name: str, path: Path, reading: Reading | None) -> Found:
    """A file that was named itself is always read; in a folder the name can say that it holds no records."""
    codec = codec_of(name)
    role: Role = "archive" if codec == "zip" else "resources"
    if reading is not None and is_description(name, reading):
        role = "description"
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    return Found(name, path, codec, role, size)
