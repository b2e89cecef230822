"""The catalogue of one backup: every file and where its pieces lie. It is stored encrypted, like the pieces.

One JSON text a line: first what the backup is, then one line a file or folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from xinglin.backup.format.known import Place
from xinglin.core.errors import VerificationFailed

__all__ = ["Entry", "Span", "lines", "read_lines", "safe_path"]


@dataclass(frozen=True)
class Span:
    """One piece of a file: where it lies, and the keyed hash of its bytes."""

    place: Place
    digest: bytes


@dataclass(frozen=True)
class Entry:
    """A file, or a folder.

    Args:
        path: Relative to the home.
        mode: Permission bits.
        size: Bytes; -1 for a folder.
        pieces: Digests of a file's pieces in order.
    """

    path: str
    mode: int
    size: int
    pieces: tuple[bytes, ...] = ()

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.size < 0


def safe_path(path: str) -> bool:
    """Whether a path stays inside the folder that it is joined to.

    Example:
        >>> [safe_path(path) for path in ("a/b", "/a", "a/../../b", "", "a//b", "a\\x00")]
        [True, False, False, False, False, False]
    """
    return "\x00" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))


def lines(head: dict[str, Any], entries: Iterable[tuple[Entry, list[tuple[int, Span]]]]) -> Iterator[bytes]:
    """The catalogue's lines.

    Args:
        head: What the backup is.
        entries: Each with its pieces, and the number of the object that each lies in.
    """
    yield _line({"backup": head})
    for entry, pieces in entries:
        spans = [[number, one.place.offset, one.place.length, one.digest.hex()] for number, one in pieces]
        yield _line({"path": entry.path, "mode": entry.mode, "size": entry.size, "pieces": spans})


def read_lines(
    data: Iterable[bytes], objects: list[str], where: str
) -> tuple[dict[str, Any], list[tuple[Entry, list[Span]]]]:
    """The reverse of `lines`.

    Args:
        data: Lines.
        objects: Names of the backup's objects.
        where: For errors.

    Raises:
        VerificationFailed: It is no catalogue, or a path leads out of the home.
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
        raise VerificationFailed("the backup's catalogue cannot be read", source=where) from error
    return head, found


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
