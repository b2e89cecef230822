"""Pruning: delete nodes of the authenticated map that only expired states need.

A block records the nodes that it replaced (table ``replaced``). When the states before it expire, these nodes are
marked dead, in one bitmap per 1,024 numbers (table ``dead``). When half of the nodes of a bitmap are dead, they are
deleted. So deletions are clustered in the file, and dead nodes never take more space than live ones. Pruning runs in
the transaction that writes a block, in limited steps, and changes neither roots nor proofs: node numbers stay the same.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence

from xinglin.core.errors import NotFound

__all__ = ["CHUNK", "KEPT", "LEAST", "TABLES", "StatePruned", "bits_of", "note", "numbers_of", "oldest", "prune"]

KEPT = 64
"""Number of latest blocks whose state can be proved.

Executing a block needs only the last state, and proving a transaction of any age only the log and the newest state.
Older states serve proofs that are created while new blocks arrive.
"""

LEAST = 2
"""Minimum: a proof of a consortium ledger uses the block before the last, because the last has no votes yet."""

TABLES = """
CREATE TABLE replaced (place INTEGER PRIMARY KEY, numbers BLOB NOT NULL) STRICT;
CREATE TABLE dead (
  chunk INTEGER PRIMARY KEY, bits BLOB NOT NULL, marked INTEGER NOT NULL, remaining INTEGER NOT NULL) STRICT;
CREATE INDEX ripe ON dead (chunk) WHERE marked * 2 >= remaining AND marked > 0;
"""

CHUNK = 1_024
"""Number of nodes per bitmap."""

_BATCH = 4_096
_PARTS = 1 << 20
_ROWS = 64


class StatePruned(NotFound):
    """The state after a block was pruned."""


def note(connection: sqlite3.Connection, height: int, numbers: Sequence[int]) -> None:
    """Record the nodes that a block replaced.

    Args:
        connection: Connection, in the transaction that writes the block.
        height: Height of the block.
        numbers: Numbers of the nodes, in any order.
    """
    ordered = sorted(numbers)
    parts = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)] or [[]]
    rows = ((height * _PARTS + number, array("q", part).tobytes()) for number, part in enumerate(parts))
    connection.executemany("INSERT INTO replaced VALUES (?, ?)", rows)


def numbers_of(content: bytes) -> array[int]:
    """The node numbers in a row of ``replaced``."""
    return array("q", content)


def oldest(connection: sqlite3.Connection) -> int:
    """The first block whose state is complete, as are all later ones."""
    (place,) = connection.execute("SELECT min(place) FROM replaced").fetchone()
    height, part = divmod(place or 0, _PARTS)
    # Replaced nodes belong to the state before the block, which is complete until the first of them is deleted.
    return height if part else max(0, height - 1)


def prune(connection: sqlite3.Connection, height: int, kept: int, more: int) -> None:
    """Prune a part of the expired nodes.

    Args:
        connection: Connection, in the transaction that writes the block, after `note`.
        height: Height of the block.
        kept: Number of latest blocks whose state stays, at least two.
        more: Number of nodes that the block replaced; pruning is twice as fast.
    """
    allowed = _BATCH + 2 * more
    _mark(connection, height - max(kept, LEAST) + 1, allowed)
    _sweep(connection, allowed)


def _mark(connection: sqlite3.Connection, last: int, allowed: int) -> None:
    sql = "SELECT count(*), sum(length(numbers)) / 8 FROM replaced WHERE place < ?"
    rows, waiting = connection.execute(sql, ((last + 1) * _PARTS,)).fetchone()
    # Larger groups touch fewer bitmaps per node.
    if rows < _ROWS and (waiting or 0) < _BATCH:
        return
    done, gone = [], array("q")
    sql = "SELECT place, numbers FROM replaced WHERE place < ? ORDER BY place"
    for place, numbers in connection.execute(sql, ((last + 1) * _PARTS,)):
        done.append((place,))
        gone.frombytes(numbers)
        if len(gone) >= allowed:
            break
    connection.executemany("DELETE FROM replaced WHERE place = ?", done)
    chunks: dict[int, int] = {}
    for number in gone:
        chunk = number >> 10
        chunks[chunk] = chunks.get(chunk, 0) | 1 << (number & 1_023)
    connection.executemany("INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?)", list(_marked(connection, chunks)))


def _marked(connection: sqlite3.Connection, chunks: dict[int, int]) -> Iterator[tuple[int, bytes, int, int]]:
    for chunk in sorted(chunks):
        row = connection.execute("SELECT bits, remaining FROM dead WHERE chunk = ?", (chunk,)).fetchone()
        bits, remaining = row or (b"", CHUNK)
        whole = int.from_bytes(bits, "little") | chunks[chunk]
        yield chunk, whole.to_bytes(CHUNK // 8, "little"), whole.bit_count(), remaining


def _sweep(connection: sqlite3.Connection, allowed: int) -> None:
    ripe = "SELECT chunk, bits, marked, remaining FROM dead WHERE marked * 2 >= remaining AND marked > 0 LIMIT ?"
    found = connection.execute(ripe, (allowed // 64,)).fetchall()
    numbers: list[tuple[int]] = []
    swept: list[tuple[int, int]] = []
    for chunk, bits, marked, remaining in found:
        numbers += ((chunk * CHUNK + bit,) for bit in bits_of(bits))
        swept.append((remaining - marked, chunk))
        if len(numbers) >= allowed:
            break
    connection.executemany("DELETE FROM node WHERE number = ?", numbers)
    connection.executemany("UPDATE dead SET bits = x'', marked = 0, remaining = ? WHERE chunk = ?", swept)


def bits_of(bits: bytes) -> Iterator[int]:
    """Positions of the set bits of a bitmap, in order.

    Example:
        >>> list(bits_of(bytes([5, 1])))
        [0, 2, 8]
    """
    for place, byte in enumerate(bits):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield place * 8 + bit
