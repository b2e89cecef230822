"""Forgetting nodes of the authenticated map that no state worth proving needs any more.

A block notes which nodes it replaced (table ``replaced``). When the states before it are past keeping, these nodes are
marked dead, in one bitmap for each 1,024 numbers (table ``dead``), and where half of what a bitmap stands for is dead,
the dead are deleted. So deletions fall together in the file, which one by one they would not, and what is dead never
takes more room than what lives. All of it happens in the transaction that writes a block, so much at a time that no
block waits long, and changes neither a root nor a proof: the numbers of the nodes that stay are the same.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence

from xinglin.core.errors import NotFound

__all__ = ["CHUNK", "KEPT", "LEAST", "TABLES", "StatePruned", "bits_of", "note", "numbers_of", "oldest", "prune"]

KEPT = 64
"""The states of so many last blocks stay provable.

Blocks are executed on the last one alone, also after a restart, and the proof of a transaction of any age needs the log
and the newest state. The older ones are for whoever makes a proof while blocks follow.
"""

LEAST = 2
"""A proof between institutions ends in the block before the last: the last one's votes are not there yet."""

TABLES = """
CREATE TABLE replaced (place INTEGER PRIMARY KEY, numbers BLOB NOT NULL) STRICT;
CREATE TABLE dead (
  chunk INTEGER PRIMARY KEY, bits BLOB NOT NULL, marked INTEGER NOT NULL, remaining INTEGER NOT NULL) STRICT;
CREATE INDEX ripe ON dead (chunk) WHERE marked * 2 >= remaining AND marked > 0;
"""

CHUNK = 1_024
"""Nodes that one bitmap stands for."""

_BATCH = 4_096
_PARTS = 1 << 20
_ROWS = 64


class StatePruned(NotFound):
    """The state after a block is past keeping."""


def note(connection: sqlite3.Connection, height: int, numbers: Sequence[int]) -> None:
    """Write down which nodes a block replaced.

    Args:
        connection: In the transaction that writes the block.
        height: The block.
        numbers: The nodes, in any order.
    """
    ordered = sorted(numbers)
    parts = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)] or [[]]
    rows = ((height * _PARTS + number, array("q", part).tobytes()) for number, part in enumerate(parts))
    connection.executemany("INSERT INTO replaced VALUES (?, ?)", rows)


def numbers_of(content: bytes) -> array[int]:
    """The nodes that a row of ``replaced`` names."""
    return array("q", content)


def oldest(connection: sqlite3.Connection) -> int:
    """The first block whose state is whole, and so is every later one's."""
    (place,) = connection.execute("SELECT min(place) FROM replaced").fetchone()
    height, part = divmod(place or 0, _PARTS)
    # What a block replaced belongs to the state before it, which lasts until the first of that is gone.
    return height if part else max(0, height - 1)


def prune(connection: sqlite3.Connection, height: int, kept: int, more: int) -> None:
    """Forget a part of what is past keeping.

    Args:
        connection: In the transaction that writes the block, after `note`.
        height: The block.
        kept: States of so many last blocks stay, at least two.
        more: How many nodes the block replaced; forgetting goes twice as fast.
    """
    allowed = _BATCH + 2 * more
    _mark(connection, height - max(kept, LEAST) + 1, allowed)
    _sweep(connection, allowed)


def _mark(connection: sqlite3.Connection, last: int, allowed: int) -> None:
    sql = "SELECT count(*), sum(length(numbers)) / 8 FROM replaced WHERE place < ?"
    rows, waiting = connection.execute(sql, ((last + 1) * _PARTS,)).fetchone()
    # Many at once fall together in fewer bitmaps.
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
    """The places of the ones in a bitmap, in order.

    Example:
        >>> list(bits_of(bytes([5, 1])))
        [0, 2, 8]
    """
    for place, byte in enumerate(bits):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield place * 8 + bit
