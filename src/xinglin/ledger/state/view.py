"""The state as the rules see it: what is committed, with what this block and this transaction changed on top."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from xinglin.ledger.transactions import cbor

__all__ = ["Entry", "View"]

Entry = dict[str, Any]


class View:
    """State entries by key; a changed one is put whole, never altered in place.

    Args:
        committed: A committed entry by its key, or None.
        scan: The committed keys and values that begin with a prefix.

    Example:
        >>> view = View({b"a": {}}.get, lambda prefix: iter(()))
        >>> view.put(b"b", {"n": 1}); view.get(b"a"), view.get(b"b")
        ({}, {'n': 1})
        >>> view.rollback(); view.get(b"b") is None
        True
    """

    def __init__(
        self, committed: Callable[[bytes], Entry | None], scan: Callable[[bytes], Iterator[tuple[bytes, bytes]]]
    ) -> None:
        self._committed = committed
        self._scan = scan
        self._block: dict[bytes, Entry] = {}
        self._changes: dict[bytes, Entry] = {}

    def get(self, key: bytes) -> Entry | None:
        """An entry, or None."""
        entry = self._changes.get(key)
        if entry is None:
            entry = self._block.get(key)
        return self._committed(key) if entry is None else entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Set an entry, for this transaction until it is kept."""
        self._changes[key] = entry

    def entries(self, prefix: bytes) -> list[tuple[bytes, Entry]]:
        """Every entry whose key begins with a prefix, in the order of the keys."""
        found: dict[bytes, Entry] = {key: cbor.decode(value) for key, value in self._scan(prefix)}
        for layer in (self._block, self._changes):
            found.update((key, entry) for key, entry in layer.items() if key.startswith(prefix))
        return sorted(found.items(), key=lambda item: item[0])

    def commit(self) -> None:
        """The transaction succeeded: its changes belong to the block."""
        self._block.update(self._changes)
        self._changes = {}

    def rollback(self) -> None:
        """The transaction failed: it changed nothing."""
        self._changes = {}

    def changed(self) -> dict[bytes, Entry]:
        """The block's changes."""
        return self._block
