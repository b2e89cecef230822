"""The piece index: the pieces that a target holds, so that nothing is stored twice.

Piece names are keyed hashes; the index is stored only in the home. Without it the next backup stores everything again;
no backup is lost. Each object is added when it is stored, so an interrupted backup continues.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from xinglin.backup.format.target import object_key
from xinglin.core.files import write_atomic

__all__ = ["PieceIndex", "Place", "Stamp", "stamp_of"]

Stamp = tuple[int, int, int, int]
"""Size, mtime and ctime in ns, inode: a file with the same stamp is unchanged."""


class Place(NamedTuple):
    """Position of a piece: object, offset and length in its plain bytes."""

    object: str
    offset: int
    length: int


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class PieceIndex:
    """Pieces at one target, for one set of recipients.

    Args:
        folder: Folder of the index; private, because it holds file names.
        recipients: Name of the recipients; objects for other recipients are not reused.

    Example:
        >>> import tempfile
        >>> known = PieceIndex(Path(tempfile.mkdtemp()), "us")
        >>> known.load({})
        >>> known.add("ab12", 100, [(b"one", 3), (b"two", 5)])
        >>> known.place(b"two")
        Place(object='ab12', offset=3, length=5)
    """

    def __init__(self, folder: Path, recipients: str) -> None:
        self._folder = folder
        self._recipients = recipients
        self._places: dict[bytes, Place] = {}
        self._lines: dict[str, str] = {}
        self._journal: IO[str] | None = None
        self.sizes: dict[str, int] = {}
        self.seen: dict[str, tuple[Stamp, tuple[bytes, ...]]] = {}

    def load(self, present: Mapping[str, int]) -> None:
        """Read the index and drop objects that are no longer at the target.

        Args:
            present: Sizes of the objects at the target, by key.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / "objects.jsonl"
        if path.is_file():
            with path.open() as file:
                for line in file:
                    self._recall(line, present)
        self._recall_seen()
        write_atomic(path, "".join(self._lines.values()).encode(), mode=0o600)
        self._journal = path.open("a", buffering=1)

    def place(self, digest: bytes) -> Place | None:
        """Position of a piece; None if it is not stored."""
        return self._places.get(digest)

    def add(self, name: str, size: int, pieces: Sequence[tuple[bytes, int]]) -> None:
        """Add a stored object.

        Args:
            name: SHA-256 of its bytes, in hex.
            size: Size in bytes.
            pieces: Digest and length of each piece, in order.
        """
        listed = [[digest.hex(), length] for digest, length in pieces]
        one = {"object": name, "size": size, "recipients": self._recipients, "pieces": listed}
        if self._journal:
            self._journal.write(json.dumps(one, separators=(",", ":")) + "\n")
        self._note(name, size, pieces)

    def save_files(self) -> None:
        """Save the stamps of the read files for the next backup."""
        lines = (
            json.dumps([path, stamp, [digest.hex() for digest in digests]], separators=(",", ":"))
            for path, (stamp, digests) in self.seen.items()
        )
        write_atomic(self._folder / "files.jsonl", "\n".join(lines).encode(), mode=0o600)

    def close(self) -> None:
        """Close the journal."""
        if self._journal:
            self._journal.close()
            self._journal = None

    def _note(self, name: str, size: int, pieces: Sequence[tuple[bytes, int]]) -> None:
        offset = 0
        self.sizes[name] = size
        for digest, length in pieces:
            self._places.setdefault(digest, Place(name, offset, length))
            offset += length

    def _recall(self, line: str, present: Mapping[str, int]) -> None:
        try:
            one = json.loads(line)
        except ValueError:
            # The partial last line of an interrupted process.
            return
        if one["recipients"] == self._recipients and present.get(object_key(one["object"])) == one["size"]:
            self._lines[one["object"]] = line
            self._note(one["object"], one["size"], [(bytes.fromhex(text), length) for text, length in one["pieces"]])

    def _recall_seen(self) -> None:
        try:
            lines = (self._folder / "files.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            path, (size, content, inode_time, inode), digests = json.loads(line)
            listed = tuple(bytes.fromhex(text) for text in digests)
            if all(digest in self._places for digest in listed):
                self.seen[path] = ((size, content, inode_time, inode), listed)
