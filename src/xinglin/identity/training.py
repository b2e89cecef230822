"""Training without labels: u from random pairs, m by expectation maximisation, both held near what was believed before.

What the data teach is weighed against the prior model by how much data there was, so that a few
hundred records cannot teach nonsense; with fewer likely matches than `ENOUGH` the prior model is used as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.identity.model import block_condition, model_settings, prior_model

if TYPE_CHECKING:
    import duckdb

__all__ = ["ENOUGH", "Model", "learned", "likely_matches", "train"]

ENOUGH = 100
_RECALL = 0.7
_SEED = 20260101
_RANDOM_PAIRS = 300_000
_BLOCKED_PAIRS = 200_000
_SURE = (("national_id", "birth_date"), ("given_name", "family_name", "birth_date"))
_SESSIONS = (("given_name", "family_name"), ("birth_date",))
_PRIOR_MATCHES = 50
_PRIOR_SHARE_OF_U = 0.05


@dataclass(frozen=True)
class Model:
    """A linkage model, trained or believed.

    Args:
        comparisons: Splink comparison dictionaries with m and u.
        probability: Probability that two records taken at random are one person's.
        trained: How it came about, for the report.
    """

    comparisons: list[dict[str, Any]]
    probability: float
    trained: str

    def settings(self) -> dict[str, Any]:
        """The model as Splink settings."""
        return model_settings(self.comparisons, self.probability)

    def to_json(self) -> dict[str, Any]:
        """The model as it is kept."""
        return {"comparisons": self.comparisons, "probability": self.probability, "trained": self.trained}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Model:
        """The reverse of `to_json`."""
        return cls(**values)


def train(connection: duckdb.DuckDBPyConnection, records: int, threads: int) -> Model:
    """The model for the records of the table ``comparable``.

    Args:
        connection: Holds ``comparable``.
        records: Its number of rows.
        threads: Threads to go back to afterwards.
    """
    matches = likely_matches(connection) / _RECALL
    pairs = max(records * (records - 1) / 2, 1.0)
    probability = _significant(min(max(matches, 0.1 * records, 1.0) / pairs, 0.5))
    if matches < ENOUGH:
        return Model(prior_model(), probability, f"prior model: {int(matches)} likely matches are too few to train on")
    from splink import DuckDBAPI, Linker

    linker = Linker(DuckDBAPI(connection).register("comparable"), model_settings(prior_model(), probability), log_level="ERROR")
    linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=_SEED, num_chunks=1)
    # Sums of fractions depend on their order, so only one thread learns.
    connection.execute("SET threads = 1")
    try:
        for columns in _SESSIONS:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_condition(columns), estimate_without_term_frequencies=True, max_pairs=_BLOCKED_PAIRS
            )
    finally:
        connection.execute(f"SET threads = {threads}")
    taught = linker.misc.save_model_to_json()["comparisons"]
    comparisons, doubted = learned(prior_model(), taught, matches, probability)
    note = f"; {', '.join(doubted)} kept from the prior model" if doubted else ""
    return Model(comparisons, probability, f"trained on about {int(matches)} likely matches{note}")


def likely_matches(connection: duckdb.DuckDBPyConnection) -> int:
    """Pairs of ``comparable`` that are surely one person's: identifier and birth date, or whole name and birth date."""
    total = 0
    for columns in _SURE:
        filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        row = connection.execute(
            f"SELECT coalesce(sum(n * (n - 1) // 2), 0) FROM"
            f" (SELECT count(*) AS n FROM comparable WHERE {filled} GROUP BY {', '.join(columns)})"
        ).fetchall()[0]
        total = max(total, int(row[0]))
    return total


def learned(
    believed: list[dict[str, Any]], taught: list[dict[str, Any]], matches: float, probability: float
) -> tuple[list[dict[str, Any]], list[str]]:
    """What was believed, moved towards what the data taught.

    A comparison whose teaching contradicts its meaning (agreement that speaks against a match, or disagreement that
    speaks for one) stays as it was believed.

    Args:
        believed: The prior comparisons.
        taught: The same comparisons as Splink trained them; levels that were not seen lack a probability.
        matches: Likely matches behind the teaching.
        probability: Probability that a random pair is a match; such pairs are taken out of u.

    Returns:
        The comparisons, and the names of those left as they were.
    """
    result, doubted = [], []
    lessons = {comparison["output_column_name"]: comparison for comparison in taught}
    for prior in believed:
        name = prior["output_column_name"]
        levels = [dict(level) for level in prior["comparison_levels"]]
        scored = [level for level in levels if not level.get("is_null_level")]
        lesson = [level for level in lessons[name]["comparison_levels"] if not level.get("is_null_level")]
        blended_m = _blend([_number(x, "m_probability") for x in lesson], scored, "m_probability", matches)
        blended_u = _u_without_matches(lesson, scored, blended_m, probability)
        if blended_m[0] <= blended_u[0] or blended_m[-1] >= blended_u[-1]:
            doubted.append(name)
        else:
            for level, m, u in zip(scored, blended_m, blended_u, strict=True):
                level["m_probability"], level["u_probability"] = m, u
        result.append({"output_column_name": name, "comparison_levels": levels})
    return result, doubted


def _number(level: dict[str, Any], key: str) -> float | None:
    value = level.get(key)
    return float(value) if isinstance(value, (int, float)) else None


def _blend(seen: list[float | None], prior: list[dict[str, Any]], key: str, weight: float) -> list[float]:
    believed = [float(level[key]) for level in prior]
    if all(value is None for value in seen):
        return believed
    mixed = [
        ((value or 0.0) * weight + belief * _PRIOR_MATCHES) / (weight + _PRIOR_MATCHES)
        for value, belief in zip(seen, believed, strict=True)
    ]
    return [_significant(value / sum(mixed)) for value in mixed]


def _u_without_matches(
    lesson: list[dict[str, Any]], prior: list[dict[str, Any]], m: list[float], probability: float
) -> list[float]:
    seen = [_number(level, "u_probability") for level in lesson]
    believed = [float(level["u_probability"]) for level in prior]
    if all(value is None for value in seen):
        return believed
    share = _PRIOR_SHARE_OF_U
    mixed = [
        (1 - share) * max((value or 0.0) - probability * same, 0.0) + share * belief
        for value, same, belief in zip(seen, m, believed, strict=True)
    ]
    return [_significant(value / sum(mixed)) for value in mixed]


def _significant(value: float) -> float:
    """Six significant digits, so that the last bit of a sum never shows."""
    return float(f"{value:.6g}")
