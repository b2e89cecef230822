"""SQL of ``repeat``: all items at any depth, in document order."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Walk", "walk_sql"]


@dataclass(frozen=True)
class Walk:
    """Parameters of one walk.

    Args:
        step: Number of the step.
        before: The SELECT to start from.
        starts: SQL of the list of JSON items to start with.
        children: SQL of the list of JSON items below ``item``.
        held: SQL of the parts to keep of ``node``, an item as JSON.
        guard: SQL condition for its rows; other rows pass without an item.
    """

    step: int
    before: str
    starts: str
    children: str
    held: str
    guard: str | None


def walk_sql(walk: Walk) -> list[tuple[str, str]]:
    """The common table expressions, by name.

    Example:
        >>> [name for name, _ in walk_sql(Walk(2, "parsed", "a", "b", "node", None))]
        ['start2', 'walk2(k2, place, node)', 'step2']
    """
    n = walk.step
    condition = f"WHERE {walk.guard}" if walk.guard else ""
    start = f"SELECT *, row_number() OVER () AS k{n} FROM {walk.before}"
    first = (
        f"SELECT k{n}, [place] AS place, node FROM (SELECT k{n}, UNNEST({walk.starts}) AS node, "
        f"UNNEST(range(len({walk.starts}))) AS place FROM start{n} {condition})"
    )
    below = (
        f"SELECT k{n}, list_append(place, below), node FROM (SELECT k{n}, place, UNNEST({walk.children}) AS node, "
        f"UNNEST(range(len({walk.children}))) AS below FROM (SELECT k{n}, place, {walk.held} AS item FROM walk{n}))"
    )
    found = (
        f"SELECT start{n}.*, {walk.held} AS item{n}, "
        f"row_number() OVER (PARTITION BY k{n} ORDER BY place) - 1 AS index{n}, place AS place{n} "
        f"FROM start{n} JOIN walk{n} USING (k{n})"
    )
    if walk.guard:
        found += f" UNION ALL SELECT *, NULL, 0, NULL FROM start{n} WHERE ({walk.guard}) IS NOT TRUE"
    ordered = f"SELECT * FROM ({found}) ORDER BY k{n}, place{n} NULLS FIRST"
    return [(f"start{n}", start), (f"walk{n}(k{n}, place, node)", f"{first} UNION ALL {below}"), (f"step{n}", ordered)]
