"""Expectation maximisation for m over patterns of agreement, with u held where random pairs show it.

Dempster, Laird and Rubin (1977) for the model of Fellegi and Sunter. It works on counted patterns, so no input can make
it fail: a comparison about which the pairs say nothing gets no weight and stays as it was believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.identity.model.sampling import Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Lesson", "expect"]

_ROUNDS = 200
_CLOSE = 1e-6
_LEAST = 1e-9


@dataclass(frozen=True)
class Lesson:
    """What the pairs teach about one comparison.

    Args:
        m: Share of each level among pairs of one person; in the order of the levels.
        weight: Pairs of one person that show it.
    """

    m: list[float]
    weight: float


def expect(
    patterns: Sequence[Pattern], m: Sequence[Sequence[float]], u: Sequence[Sequence[float]], used: Sequence[bool]
) -> list[Lesson]:
    """Learn m from patterns.

    Args:
        patterns: Levels and counts, as `block_patterns` gives them.
        m: Where to begin, for every comparison.
        u: Held as it is.
        used: Comparisons that the pairs were not chosen by.

    Example:
        >>> patterns = [((0, 0), 90), ((1, 0), 10), ((1, 1), 900)]
        >>> start, held = [[0.7, 0.3], [0.9, 0.1]], [[0.001, 0.999], [0.01, 0.99]]
        >>> [round(value, 2) for value in expect(patterns, start, held, [True, True])[0].m]
        [0.99, 0.01]
    """
    import numpy as np

    if not patterns:
        return [Lesson([0.0] * len(levels), 0.0) for levels in m]
    levels = np.array([pattern for pattern, _ in patterns], dtype=np.int64)
    counts = np.array([count for _, count in patterns], dtype=np.float64)
    believed = [np.maximum(np.array(one, dtype=np.float64), _LEAST) for one in m]
    apart = np.zeros(len(patterns))
    held = [np.log(np.maximum(np.array(one, dtype=np.float64), _LEAST)) for one in u]
    columns = [at for at, one in enumerate(used) if one]
    for at in columns:
        apart += _looked_up(held[at], levels[:, at])
    share = 0.5
    lessons = [Lesson([0.0] * len(one), 0.0) for one in m]
    for _ in range(_ROUNDS):
        together = np.zeros(len(patterns))
        for at in columns:
            together += _looked_up(np.log(believed[at]), levels[:, at])
        odds = np.log(share / (1 - share)) + together - apart
        matching = counts / (1 + np.exp(-np.clip(odds, -500, 500)))
        moved = 0.0
        for at in columns:
            seen = np.array([matching[levels[:, at] == level].sum() for level in range(len(believed[at]))])
            total = float(seen.sum())
            lessons[at] = Lesson([float(value) / total if total > 0 else 0.0 for value in seen], total)
            if total > 1:
                next_m = np.maximum(seen / total, _LEAST)
                moved = max(moved, float(np.abs(next_m - believed[at]).max()))
                believed[at] = next_m
        share = min(max(float(matching.sum() / counts.sum()), 1e-6), 1 - 1e-6)
        if moved < _CLOSE:
            break
    return lessons


def _looked_up(logarithms: NDArray[np.float64], level: NDArray[np.int64]) -> NDArray[np.float64]:
    """The logarithm of the level's probability; 0 where the comparison says nothing."""
    import numpy as np

    return np.where(level < 0, 0.0, logarithms[np.maximum(level, 0)])
