"""Which of the offered resources are new, which were landed before, which replace an earlier version.

A text identical to any version landed before at the site is a duplicate. Another text under the same key is a new
version. It replaces the current one, unless both state when they were changed and the current one was changed later:
then the new one is superseded at once. A version that states a deletion is never current itself. A mere mention is a
duplicate of the resource known under its key. An object that changes what must not change (the patient of an image) is
a conflict and is not landed. The offered keys are on disk, 42 bytes each, and processed in shares, so that memory does
not grow with their number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from xinglin.landing.batch.fixed import fixed_of
from xinglin.landing.batch.history import UNKNOWN, Find, Place, Version, history
from xinglin.landing.batch.pieces import Offered
from xinglin.landing.store import Batch

__all__ = ["Decision", "Offers", "decide"]

_SHARE = 500_000
_BLOCK = 200_000
_ENTRY = [("key", "<i8"), ("leaf", "<u8"), ("updated", "<i8"), ("piece", "<u4"), ("row", "<u4"),
          ("mention", "?"), ("deleted", "?"), ("fixed", "<u8")]  # fmt: skip


@dataclass
class Decision:
    """Decision about the offered rows.

    Args:
        dropped: Rows of a piece not to land: duplicates and conflicts.
        superseded: Versions that this batch replaces, with their key.
        conflicts: Rows of a piece that change what must not change.
    """

    dropped: dict[int, array[int]] = field(default_factory=dict)
    superseded: list[tuple[Place, int]] = field(default_factory=list)
    conflicts: dict[int, array[int]] = field(default_factory=dict)


class Offers:
    """Keys and leaves of all offered rows, on disk.

    Args:
        path: File to write them to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.types: set[str] = set()
        self._file = path.open("wb")

    def add(self, number: int, offered: Offered) -> None:
        """Append the rows of the piece with this number."""
        import numpy as np

        piece = offered.piece
        entries = np.zeros(piece.rows, dtype=_ENTRY)
        entries["key"], entries["leaf"], entries["piece"] = offered.keys, offered.leaves, number
        entries["row"], entries["mention"] = np.arange(piece.rows), offered.mentions
        entries["updated"], entries["deleted"] = offered.updated, offered.deleted
        entries["fixed"] = offered.fixed
        entries.tofile(self._file)
        self.size += piece.rows
        self.types.add(piece.resource_type)

    def shares(self) -> Iterator[Any]:
        """The entries in order, in shares of about half a million; all entries of a key are in one share."""
        import numpy as np

        self._file.close()
        for path in self._divided(max(1, -(-self.size // _SHARE))):
            share = np.fromfile(path, dtype=_ENTRY)
            path.unlink()
            if len(share):
                yield share

    def _divided(self, count: int) -> list[Path]:
        """The entries, divided by key into `count` files."""
        import numpy as np

        if count == 1:
            return [self.path]
        paths = [self.path.with_name(f"{self.path.name}-{share}") for share in range(count)]
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb")) for path in paths]
            source = stack.enter_context(self.path.open("rb"))
            while len(block := np.fromfile(source, dtype=_ENTRY, count=_BLOCK)):
                share_of = block["key"] % count
                for share, file in enumerate(files):
                    block[share_of == share].tofile(file)
        self.path.unlink()
        return paths


def decide(offers: Offers, earlier: list[Batch], index: Path) -> Decision:
    """Decide about every offered row.

    Args:
        offers: The rows of the batch being made.
        earlier: The site's batches so far.
        index: Folder of the index over them.
    """
    decision = Decision()
    find = history(earlier, offers.types, index)
    folders = {batch.sequence: batch.path for batch in earlier}
    for entries in offers.shares():
        _decide_share(entries, find, folders, decision)
    return decision


def _decide_share(entries: Any, find: Find, folders: Mapping[int, Path], decision: Decision) -> None:
    import numpy as np

    order = np.argsort(entries["key"], kind="stable")
    keys = entries["key"][order]
    distinct, first, count = np.unique(keys, return_index=True, return_counts=True)
    before = find(distinct)
    known = np.isin(distinct, np.fromiter(before, dtype=np.int64, count=len(before)))
    deleted = np.logical_or.reduceat(entries["deleted"][order], first)  # also for keys without an earlier version
    for index in np.flatnonzero((count > 1) | known | deleted).tolist():
        key = int(distinct[index])
        resource = _Resource(key, before.get(key, []), folders, decision)
        for entry in entries[order[first[index] : first[index] + count[index]]].tolist():
            resource.decide(_Entry(*entry[1:]))


class _Entry(NamedTuple):
    """One offered row, without its key."""

    leaf: int
    updated: int
    piece: int
    row: int
    mention: bool
    deleted: bool
    fixed: int


class _Resource:
    """The versions of one resource, from the oldest to the newest that was offered."""

    def __init__(self, key: int, before: list[Version], folders: Mapping[int, Path], decision: Decision) -> None:
        self.key = key
        self.folders = folders
        self.decision = decision
        self.seen = {version.leaf for version in before}
        self.current: Version | None = None
        self.fixed = 0
        for version in before:
            if not _is_older(version.updated, self.current):
                self.current = version

    def decide(self, entry: _Entry) -> None:
        """Decide about the next offered version."""
        current = self.current
        repeated = entry.leaf in self.seen
        if entry.deleted and entry.updated == UNKNOWN and current is not None:
            repeated = entry.leaf == current.leaf  # a resource that was restored is deleted again
        if repeated or (entry.mention and current is not None):
            self.decision.dropped.setdefault(entry.piece, array("I")).append(entry.row)
            return
        if entry.fixed and current is not None and self._fixed(current) not in (0, entry.fixed):
            self.decision.dropped.setdefault(entry.piece, array("I")).append(entry.row)
            self.decision.conflicts.setdefault(entry.piece, array("I")).append(entry.row)
            return
        self.seen.add(entry.leaf)
        place = Place(0, entry.piece, entry.row)
        older = _is_older(entry.updated, current)
        if older or entry.deleted:
            self.decision.superseded.append((place, self.key))
        if not older:
            if current is not None:
                self.decision.superseded.append((current.place, self.key))
            self.current, self.fixed = Version(entry.leaf, entry.updated, place), entry.fixed

    def _fixed(self, current: Version) -> int:
        """Digest of what no version may change, from the current version."""
        if current.place.batch and not self.fixed:
            folder, place = self.folders[current.place.batch], current.place
            self.fixed = fixed_of(_text(folder / str(place.file), place.row))
        return self.fixed


def _is_older(updated: int, current: Version | None) -> bool:
    return current is not None and UNKNOWN < updated < current.updated


def _text(path: Path, row: int) -> bytes:
    """The text of one landed row."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            rows = file.metadata.row_group(number).num_rows
            if row < rows:
                return str(file.read_row_group(number, ["resource"])["resource"][row].as_py()).encode()
            row -= rows
    return b""
