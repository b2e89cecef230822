"""Which of the offered resources are new, which were landed before, which replace an earlier version.

Identical to any version landed before at the site: a duplicate. Another text under the same key: a new version,
which replaces the one landed last; but a mere mention is a duplicate of whatever is known under
its key. The offered keys wait on disk, 25 bytes each, and are decided share by share, so memory stays the same however
many there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xinglin.landing.history import Find, Place, history
from xinglin.landing.pieces import Offered
from xinglin.landing.store import Batch

__all__ = ["Decision", "Offers", "decide"]

_SHARE = 500_000
_BLOCK = 200_000
_ENTRY = [("key", "<i8"), ("leaf", "<u8"), ("piece", "<u4"), ("row", "<u4"), ("mention", "?")]


@dataclass
class Decision:
    """What is decided about the offered rows.

    Args:
        dropped: Rows of a piece that were landed before.
        superseded: Earlier versions that a row of this batch replaces, with their key.
    """

    dropped: dict[int, array[int]] = field(default_factory=dict)
    superseded: list[tuple[Place, int]] = field(default_factory=list)


class Offers:
    """Keys and leaves of all offered rows, on disk.

    Args:
        path: File to keep them in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.types: set[str] = set()
        self._file = path.open("wb")

    def add(self, number: int, offered: Offered) -> None:
        """Append the rows of the piece of that number."""
        import numpy as np

        piece = offered.piece
        entries = np.zeros(piece.rows, dtype=_ENTRY)
        entries["key"], entries["leaf"], entries["piece"] = offered.keys, offered.leaves, number
        entries["row"], entries["mention"] = np.arange(piece.rows), offered.mentions
        entries.tofile(self._file)
        self.size += piece.rows
        self.types.add(piece.resource_type)

    def shares(self) -> Iterator[Any]:
        """The entries in shares of about half a million, each key wholly in one, in the order they were offered."""
        import numpy as np

        self._file.close()
        for path in self._divided(max(1, -(-self.size // _SHARE))):
            share = np.fromfile(path, dtype=_ENTRY)
            path.unlink()
            if len(share):
                yield share

    def _divided(self, count: int) -> list[Path]:
        """The entries in so many files, by their keys."""
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
    for entries in offers.shares():
        _decide_share(entries, find, decision)
    return decision


def _decide_share(entries: Any, find: Find, decision: Decision) -> None:
    import numpy as np

    order = np.argsort(entries["key"], kind="stable")
    keys = entries["key"][order]
    distinct, first, count = np.unique(keys, return_index=True, return_counts=True)
    before = find(distinct)
    known = np.isin(distinct, np.fromiter(before, dtype=np.int64, count=len(before)))
    for index in np.flatnonzero((count > 1) | known).tolist():
        key = int(distinct[index])
        versions = before.get(key, [])
        seen = {leaf for leaf, _ in versions}
        current = versions[-1][1] if versions else None
        for entry in entries[order[first[index] : first[index] + count[index]]].tolist():
            _, leaf, piece, row, mention = entry
            if leaf in seen or (mention and current is not None):
                decision.dropped.setdefault(piece, array("I")).append(row)
                continue
            seen.add(leaf)
            if current is not None:
                decision.superseded.append((current, key))
            current = Place(0, piece, row)
