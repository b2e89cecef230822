"""Small cells: aggregates that stand for fewer persons than may be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Suppressed", "suppress"]


@dataclass(frozen=True)
class Suppressed:
    """Rows of aggregates that may leave.

    Args:
        rows: Without the columns that counted persons; a suppressed cell is None.
        cells: Cells that were suppressed, those of left-out rows among them.
        left_out: Rows left out wholly, since even that they exist is told by fewer persons than may be told.
        smallest: Fewest persons behind a cell that leaves; None where none leaves.
    """

    rows: list[tuple[Any, ...]]
    cells: int
    left_out: int
    smallest: int | None


def suppress(rows: Sequence[tuple[Any, ...]], counters: Sequence[Sequence[int]], smallest: int) -> Suppressed:
    """Suppress every cell of fewer persons than `smallest`.

    Where exactly one row of several is suppressed, the next smallest goes with it, so that it cannot be had by
    subtracting the others from a total (complementary suppression).

    Args:
        rows: What was asked for, and behind it the persons behind each row and cell.
        counters: Numbers of the counting columns of every column asked for.
        smallest: Fewest persons a cell may stand for.

    Example:
        >>> suppress([("f", 90, 90), ("m", 40, 40), ("x", 2, 2)], [[2], [2]], 5)
        Suppressed(rows=[('f', 90)], cells=2, left_out=2, smallest=90)
    """
    width = len(counters)
    own = max(1, sum(any(place != width for place in places) for places in counters))
    gone = {number for number, row in enumerate(rows) if (row[width] or 0) < smallest}
    if len(gone) == 1 and len(rows) > 1:
        others = [number for number in range(len(rows)) if number not in gone]
        gone.add(min(others, key=lambda number: (rows[number][width], number)))
    kept, cells, least = [], own * len(gone), None
    for number, row in enumerate(rows):
        if number in gone:
            continue
        told = []
        for value, places in zip(row[:width], counters, strict=True):
            persons = min((row[place] or 0) for place in places)
            small = persons < smallest
            cells += small
            told.append(None if small else value)
            if not small:
                least = persons if least is None else min(least, persons)
        kept.append(tuple(told))
    return Suppressed(kept, cells, len(gone), least)
