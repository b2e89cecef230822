"""Compare the stored nodes of the authenticated map with those of a new execution, except for pruned ones."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.state.pruning import CHUNK, bits_of, numbers_of

__all__ = ["compare_nodes"]

Bad = Callable[[str, str], VerificationFailed]
_WRONG = "it does not follow from the transactions"


def compare_nodes(kept: sqlite3.Connection, made: sqlite3.Connection, bad: Bad) -> None:
    """Compare the nodes of the authenticated map and the tables for pruning.

    Args:
        kept: The ledger.
        made: The same ledger executed again, with all nodes.
        bad: Creates the error for an item and its defect.

    Raises:
        VerificationFailed: Names the first damaged item.
    """
    (first,) = kept.execute("SELECT min(place) FROM replaced").fetchone()
    rows = "SELECT place, numbers FROM replaced WHERE place >= ? ORDER BY place"
    if first is None or kept.execute(rows, (first,)).fetchall() != made.execute(rows, (first,)).fetchall():
        raise bad("the table of replaced state nodes", _WRONG)
    made.execute("CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY)")
    made.execute("CREATE TEMP TABLE marked (number INTEGER PRIMARY KEY)")
    made.execute("BEGIN")
    for (numbers,) in made.execute("SELECT numbers FROM replaced WHERE place < ?", (first,)).fetchall():
        made.executemany("INSERT INTO gone VALUES (?)", ((number,) for number in numbers_of(numbers)))
    for chunk, bits in kept.execute("SELECT chunk, bits FROM dead"):
        dead = ((chunk * CHUNK + bit,) for bit in bits_of(bits))
        made.executemany("INSERT OR IGNORE INTO marked VALUES (?)", dead)
    made.execute("COMMIT")
    (stray,) = made.execute("SELECT min(number) FROM marked WHERE number NOT IN gone").fetchone()
    if stray is not None:
        raise bad(f"state node {stray}", "it is marked as dead but still needed")
    _compare_bitmaps(kept, _forgotten(kept, made, bad), bad)


def _forgotten(kept: sqlite3.Connection, made: sqlite3.Connection, bad: Bad) -> Counter[int]:
    """Number of pruned nodes in each chunk."""
    sql = """
        SELECT node.number, node.bytes, gone.number IS NOT NULL, marked.number IS NOT NULL FROM node
        LEFT JOIN temp.gone USING (number) LEFT JOIN temp.marked USING (number) ORDER BY node.number"""
    there: Iterator[tuple[int, bytes]] = iter(kept.execute("SELECT number, bytes FROM node ORDER BY number"))
    row = next(there, None)
    forgotten: Counter[int] = Counter()
    for number, content, gone, marked in made.execute(sql):
        if row is not None and row[0] == number:
            if row[1] != content or marked != gone:
                raise bad(f"state node {number}", _WRONG)
            row = next(there, None)
        elif not gone or marked:
            raise bad(f"state node {number}", "it is missing")
        else:
            forgotten[number // CHUNK] += 1
    if row is not None:
        raise bad(f"state node {row[0]}", _WRONG)
    return forgotten


def _compare_bitmaps(kept: sqlite3.Connection, forgotten: Counter[int], bad: Bad) -> None:
    for chunk, bits, marked, remaining in kept.execute("SELECT chunk, bits, marked, remaining FROM dead"):
        if marked != sum(1 for _ in bits_of(bits)) or remaining != CHUNK - forgotten.pop(chunk, 0):
            raise bad(f"the bitmap of pruned state nodes {chunk}", _WRONG)
    if forgotten:
        raise bad(f"the bitmap of pruned state nodes {min(forgotten)}", "it is missing")
