"""The SQL of ``repeat``: every item below, to any depth, in the order in which the document has them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Walk", "walk_sql"]


@dataclass(frozen=True)
class Walk:
    """What one walk needs.

    Args:
        step: Its number.
        before: The SELECT it starts from.
        starts: SQL of the list of JSON items to begin with.
        children: SQL of the list of JSON items below ``item``.
        held: SQL of what is kept of ``node``, an item as JSON.
        guard: Which rows it concerns; the others pass with no item.
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
