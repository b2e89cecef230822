"""From links between records to persons.

Records joined by a chain of links are one group. A group that holds two records which cannot be one person's is built
up again from its strongest link down, leaving out each link that would bring such two together (single-linkage
clustering under cannot-link constraints: Wagstaff et al. 2001). Decisions come first, the newest one strongest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Decided", "Link", "connected", "decided_pairs", "divide"]


@dataclass(frozen=True)
class Decided:
    """A decision about two records, as clustering sees it.

    Args:
        left: One record's key.
        right: The other's.
        together: True for a merge, False for a split.
    """

    left: int
    right: int
    together: bool


@dataclass(frozen=True)
class Link:
    """A link between two records; the greater its weight (bits), the earlier it counts."""

    left: int
    right: int
    weight: float


def connected(nodes: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest node of each node's connected component.

    Args:
        nodes: Number of nodes, named 0 to nodes - 1.
        left: One end of each edge.
        right: The other.

    Example:
        >>> import numpy as np
        >>> connected(5, np.array([3, 1]), np.array([4, 3])).tolist()
        [0, 1, 2, 1, 1]
    """
    import numpy as np

    parent = np.arange(nodes, dtype=np.int64)
    while len(left):
        low = np.minimum(parent[left], parent[right])
        high = np.maximum(parent[left], parent[right])
        open_edges = low != high
        left, right = left[open_edges], right[open_edges]
        np.minimum.at(parent, high[open_edges], low[open_edges])
        while True:
            shorter = parent[parent]
            if np.array_equal(shorter, parent):
                break
            parent = shorter
    return parent


def decided_pairs(decisions: Sequence[Decided]) -> list[Decided]:
    """The decisions that still hold, newest first: a later word on the same two records replaces an earlier one.

    Args:
        decisions: In the order they were taken.

    Example:
        >>> decided_pairs([Decided(1, 2, True), Decided(2, 1, False)])
        [Decided(left=2, right=1, together=False)]
    """
    seen: set[frozenset[int]] = set()
    holding = []
    for decision in reversed(decisions):
        pair = frozenset((decision.left, decision.right))
        if pair not in seen:
            seen.add(pair)
            holding.append(decision)
    return holding


def divide(
    members: Iterable[int], links: Iterable[Link], apart: Iterable[tuple[int, int]], decisions: Sequence[Decided]
) -> dict[int, int]:
    """Build one group up again so that no two records that cannot be one person's share a part.

    Args:
        members: Record keys of the group.
        links: Links inside it.
        apart: Pairs that cannot be one person's; a merge decision overrides them.
        decisions: Decisions inside it that still hold, newest first.

    Returns:
        Record key -> smallest key of its part.

    Example:
        >>> divide([1, 2, 3], [Link(1, 2, 9.5), Link(2, 3, 8.1)], [(1, 3)], [])
        {1: 1, 2: 1, 3: 3}
        >>> divide([1, 2, 3], [Link(1, 2, 9.5), Link(2, 3, 8.1)], [], [Decided(1, 2, False)])
        {1: 1, 2: 2, 3: 2}
    """
    parts = _Parts(members)
    for decision in decisions:
        if decision.together:
            parts.join(decision.left, decision.right)
        else:
            parts.forbid(decision.left, decision.right)
    for left, right in sorted(apart):
        parts.forbid(left, right)
    for link in sorted(links, key=lambda link: (-link.weight, link.left, link.right)):
        parts.join(link.left, link.right)
    return {key: parts.of[key] for key in sorted(parts.of)}


class _Parts:
    """Disjoint sets with pairs of sets that must not meet; a part is named after its smallest key."""

    def __init__(self, members: Iterable[int]) -> None:
        self.of = {key: key for key in members}
        self._members = {key: [key] for key in self.of}
        self._enemies: dict[int, set[int]] = {key: set() for key in self.of}

    def forbid(self, left: int, right: int) -> None:
        """Keep two records apart, unless they are together already."""
        a, b = self.of[left], self.of[right]
        if a != b:
            self._enemies[a].add(b)
            self._enemies[b].add(a)

    def join(self, left: int, right: int) -> None:
        """Put two records together, unless that was forbidden."""
        a, b = self.of[left], self.of[right]
        if a == b or b in self._enemies[a]:
            return
        keep, gone = min(a, b), max(a, b)
        for key in self._members[gone]:
            self.of[key] = keep
        self._members[keep] += self._members.pop(gone)
        for enemy in self._enemies.pop(gone):
            self._enemies[enemy].discard(gone)
            self._enemies[enemy].add(keep)
            self._enemies[keep].add(enemy)
