"""Small-cell suppression: aggregates over fewer persons than the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Suppressed", "suppress"]


@dataclass(frozen=True)
class Suppressed:
    """Aggregate rows after suppression.

    Args:
        rows: Rows without the counting columns; a suppressed cell is None.
        cells: Number of suppressed cells, including those of removed rows.
        left_out: Number of removed rows, whose group itself is below the threshold.
        smallest: Fewest persons behind a released cell; None if no cell is released.
    """

    rows: list[tuple[Any, ...]]
    cells: int
    left_out: int
    smallest: int | None


def suppress(rows: Sequence[tuple[Any, ...]], counters: Sequence[Sequence[int]], smallest: int) -> Suppressed:
    """Suppress all cells over fewer persons than `smallest`.

    If exactly one of several rows is suppressed, the next smallest is suppressed too, so that it cannot be computed by
    subtracting the others from a total (complementary suppression).

    Args:
        rows: Requested columns, followed by the counting columns.
        counters: Indexes of the counting columns of each requested column.
        smallest: Fewest persons per cell.

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
        released = []
        for value, places in zip(row[:width], counters, strict=True):
            persons = min((row[place] or 0) for place in places)
            small = persons < smallest
            cells += small
            released.append(None if small else value)
            if not small:
                least = persons if least is None else min(least, persons)
        kept.append(tuple(released))
    return Suppressed(kept, cells, len(gone), least)
