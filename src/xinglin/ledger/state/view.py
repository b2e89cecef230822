"""The state view of the rules: committed entries, overlaid by the changes of the block and of the transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from xinglin.ledger.transactions import cbor

__all__ = ["Entry", "View"]

Entry = dict[str, Any]


class View:
    """State entries by key; entries are replaced as a whole, never modified.

    Args:
        committed: Reads a committed entry by its key; None if absent.
        scan: Reads committed keys with a prefix and their values.

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
        """An entry; None if absent."""
        entry = self._changes.get(key)
        if entry is None:
            entry = self._block.get(key)
        return self._committed(key) if entry is None else entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Set an entry in the current transaction."""
        self._changes[key] = entry

    def entries(self, prefix: bytes) -> list[tuple[bytes, Entry]]:
        """All entries whose key has a prefix, ordered by key."""
        found: dict[bytes, Entry] = {key: cbor.decode(value) for key, value in self._scan(prefix)}
        for layer in (self._block, self._changes):
            found.update((key, entry) for key, entry in layer.items() if key.startswith(prefix))
        return sorted(found.items(), key=lambda item: item[0])

    def commit(self) -> None:
        """Add the changes of the transaction to the block."""
        self._block.update(self._changes)
        self._changes = {}

    def rollback(self) -> None:
        """Discard the changes of the transaction."""
        self._changes = {}

    def changed(self) -> dict[bytes, Entry]:
        """The block's changes."""
        return self._block
