"""Training without labels: u from random pairs, m by expectation maximisation, both held near what was believed before.

What the data teach is weighed against the prior model by how much data there was, so that a few hundred records cannot
teach nonsense; with fewer likely matches than `ENOUGH` the prior model is used as it is. Each comparison learns for
itself: one that the data cannot teach keeps what was believed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.identity.model.expectation import Lesson, expect
from xinglin.identity.model.levels import COMPARISONS, model_settings, prior_model
from xinglin.identity.model.sampling import RANDOM_PAIRS, block_patterns, likely_matches, random_agreement

if TYPE_CHECKING:
    import duckdb

__all__ = ["ENOUGH", "Model", "Prior", "learned", "prior_of", "train", "with_u"]

ENOUGH = 100
_RECALL = 0.7
_SESSIONS = (("given_name", "family_name"), ("birth_date",))
_PRIOR_MATCHES = 50
_HOUSEMATES = 0.5
"""Of two records of one household, at most this many times as many are two persons' as one person's at the least."""


@dataclass(frozen=True)
class Model:
    """A linkage model, trained or believed.

    Args:
        comparisons: Splink comparison dictionaries with m and u.
        trained: How it came about, for the report.
    """

    comparisons: list[dict[str, Any]]
    trained: str

    def settings(self, probability: float) -> dict[str, Any]:
        """The model as Splink settings, with the probability that two records taken at random are one person's."""
        return model_settings(self.comparisons, probability)

    def to_json(self) -> dict[str, Any]:
        """The model as it is kept."""
        return {"comparisons": self.comparisons, "trained": self.trained}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Model:
        """The reverse of `to_json`."""
        return cls(**values)


@dataclass(frozen=True)
class Prior:
    """How likely two records taken at random are one person's: counted on every run, since it falls as a region grows.

    Args:
        records: Records compared.
        matches: Pairs among them that are almost surely one person's.
    """

    records: int
    matches: int

    @property
    def probability(self) -> float:
        """At least one record in ten is supposed to have another of the same person."""
        pairs = max(self.records * (self.records - 1) / 2, 1.0)
        return _significant(min(max(self.matches / _RECALL, 0.1 * self.records, 1.0) / pairs, 0.5))

    @property
    def bits(self) -> float:
        """The same as a weight.

        Example:
            >>> Prior(records=1001, matches=0).bits
            -12.2874
        """
        return _significant(math.log2(self.probability / (1 - self.probability)))


def prior_of(connection: duckdb.DuckDBPyConnection, records: int) -> Prior:
    """Count the prior of the table ``comparable``."""
    return Prior(records, likely_matches(connection))


def train(connection: duckdb.DuckDBPyConnection, prior: Prior, *, households: bool) -> Model:
    """The model for the records of the table ``comparable``.

    Args:
        connection: Holds ``comparable``.
        prior: From `prior_of`.
        households: Whether households are in the data; see `evidence.households`.
    """
    matches = prior.matches / _RECALL
    if matches < ENOUGH:
        note = f"prior model: {int(matches)} likely matches are too few to train on"
        return Model(_at_most_even(prior_model(), prior.probability, households), note)
    believed = with_u(prior_model(), random_agreement(connection, prior.records), prior.probability)
    believed = _at_most_even(believed, prior.probability, households)
    m = [[level.m for level in comparison.levels] for comparison in COMPARISONS]
    u = [[level["u_probability"] for level in _scored(comparison)] for comparison in believed]
    sessions = [
        expect(block_patterns(connection, block), m, u, [one.name not in block for one in COMPARISONS])
        for block in _SESSIONS
    ]
    taught = {
        comparison.name: [
            lessons[at]
            for lessons, block in zip(sessions, _SESSIONS, strict=True)
            if comparison.name not in block and lessons[at].weight >= 1
        ]
        for at, comparison in enumerate(COMPARISONS)
    }
    comparisons, doubted = learned(believed, taught)
    note = f"; kept from the prior model: {', '.join(doubted)}" if doubted else ""
    return Model(comparisons, f"trained on about {int(matches)} likely matches{note}")


def with_u(
    believed: list[dict[str, Any]], seen: dict[str, list[float | None]], probability: float
) -> list[dict[str, Any]]:
    """The prior comparisons with u as random pairs show it.

    Args:
        believed: The prior comparisons.
        seen: From `random_agreement`.
        probability: Probability that a random pair is a match; such pairs are taken out.
    """
    result = []
    for prior in believed:
        levels = [dict(level) for level in prior["comparison_levels"]]
        scored = [level for level in levels if not level.get("is_null_level")]
        shares = seen[prior["output_column_name"]]
        if None not in shares:
            # A level never seen among so many random pairs is rarer than one in them, however common it was believed.
            apart = [
                max(
                    (share or 0.0) - probability * level["m_probability"],
                    min(level["u_probability"], 1 / RANDOM_PAIRS),
                )
                for share, level in zip(shares, scored, strict=True)
            ]
            for level, u in zip(scored, apart, strict=True):
                level["u_probability"] = _significant(u / sum(apart))
        result.append({"output_column_name": prior["output_column_name"], "comparison_levels": levels})
    return result


def _at_most_even(believed: list[dict[str, Any]], probability: float, households: bool) -> list[dict[str, Any]]:
    """The comparisons with u of what a household shares at least so high that sharing it makes odds about even.

    Records of one household are one person's or those of people who live together; the address and the phone cannot
    tell which. Without households in the data they can.
    """
    if not households:
        return believed
    result = []
    for prior, comparison in zip(believed, COMPARISONS, strict=True):
        levels = [dict(level) for level in prior["comparison_levels"]]
        scored = [level for level in levels if not level.get("is_null_level")]
        for level, known in zip(scored, comparison.levels, strict=True):
            if known.shared:
                level["u_probability"] = _significant(
                    max(level["u_probability"], _HOUSEMATES * probability * level["m_probability"])
                )
        result.append({"output_column_name": prior["output_column_name"], "comparison_levels": levels})
    return result


def learned(believed: list[dict[str, Any]], taught: dict[str, list[Lesson]]) -> tuple[list[dict[str, Any]], list[str]]:
    """What was believed, with m moved towards what the data taught.

    A comparison whose teaching contradicts its meaning (agreement that speaks against a match, or disagreement that
    speaks for one) stays as it was believed, and so does one that was taught nothing.

    Args:
        believed: Comparisons with the m believed and the u seen.
        taught: Lessons of every comparison, by its name.

    Returns:
        The comparisons, and the names of those whose lessons were refused.
    """
    result, doubted = [], []
    for prior in believed:
        name = prior["output_column_name"]
        levels = [dict(level) for level in prior["comparison_levels"]]
        scored = [level for level in levels if not level.get("is_null_level")]
        blended = _blend(taught.get(name, []), scored)
        if blended[0] <= scored[0]["u_probability"] or blended[-1] >= scored[-1]["u_probability"]:
            doubted.append(name)
        else:
            for level, m in zip(scored, blended, strict=True):
                level["m_probability"] = m
        result.append({"output_column_name": name, "comparison_levels": levels})
    return result, doubted


def _blend(lessons: list[Lesson], prior: list[dict[str, Any]]) -> list[float]:
    believed = [float(level["m_probability"]) for level in prior]
    if not lessons:
        return believed
    weight = max(lesson.weight for lesson in lessons)
    seen = [sum(values) / len(lessons) for values in zip(*(lesson.m for lesson in lessons), strict=True)]
    mixed = [
        (value * weight + belief * _PRIOR_MATCHES) / (weight + _PRIOR_MATCHES)
        for value, belief in zip(seen, believed, strict=True)
    ]
    return [_significant(value / sum(mixed)) for value in mixed]


def _scored(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    return [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]


def _significant(value: float) -> float:
    """Six significant digits, so that the last bit of a sum never shows."""
    return float(f"{value:.6g}")
