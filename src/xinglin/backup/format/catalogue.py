"""The catalogue of one backup: all files and the positions of their pieces. Stored encrypted.

One JSON text per line: first a description of the backup, then one line per file or folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from xinglin.backup.format.piece_index import Place
from xinglin.core.errors import VerificationFailed

__all__ = ["Entry", "Span", "lines", "read_lines", "safe_path"]


@dataclass(frozen=True)
class Span:
    """One piece of a file: position, and keyed hash of its bytes."""

    place: Place
    digest: bytes


@dataclass(frozen=True)
class Entry:
    """A file, or a folder.

    Args:
        path: Path relative to the home.
        mode: Permission bits.
        size: Size in bytes; -1 for a folder.
        pieces: Digests of the pieces, in order.
    """

    path: str
    mode: int
    size: int
    pieces: tuple[bytes, ...] = ()

    @property
    def folder(self) -> bool:
        """Whether the entry is a folder."""
        return self.size < 0


def safe_path(path: str) -> bool:
    """Whether a relative path stays inside its base folder.

    Example:
        >>> [safe_path(path) for path in ("a/b", "/a", "a/../../b", "", "a//b", "a\\x00")]
        [True, False, False, False, False, False]
    """
    return "\x00" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))


def lines(head: dict[str, Any], entries: Iterable[tuple[Entry, list[tuple[int, Span]]]]) -> Iterator[bytes]:
    """Write the lines of a catalogue.

    Args:
        head: Description of the backup.
        entries: Entries with their pieces and the object number of each piece.
    """
    yield _line({"backup": head})
    for entry, pieces in entries:
        spans = [[number, one.place.offset, one.place.length, one.digest.hex()] for number, one in pieces]
        yield _line({"path": entry.path, "mode": entry.mode, "size": entry.size, "pieces": spans})


def read_lines(
    data: Iterable[bytes], objects: list[str], where: str
) -> tuple[dict[str, Any], list[tuple[Entry, list[Span]]]]:
    """Read the lines of a catalogue.

    Args:
        data: The lines.
        objects: Names of the backup's objects.
        where: Source in errors.

    Raises:
        VerificationFailed: The catalogue is malformed, or a path leads out of the home.
    """
    head: dict[str, Any] = {}
    found = []
    try:
        for number, line in enumerate(data):
            values = json.loads(line)
            if not number:
                head = values["backup"]
                continue
            spans = [
                Span(Place(objects[place], offset, length), bytes.fromhex(digest))
                for place, offset, length, digest in values["pieces"]
            ]
            digests = tuple(one.digest for one in spans)
            if not safe_path(values["path"]):
                raise ValueError
            found.append((Entry(values["path"], values["mode"], values["size"], digests), spans))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise VerificationFailed(
            "the backup's catalogue cannot be read", source=where, remedy="use another backup"
        ) from error
    return head, found


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
