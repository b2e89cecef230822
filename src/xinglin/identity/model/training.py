"""Training without labels: u from random pairs, m by expectation maximisation, both held near what was believed before.

What the data teach is weighed against the prior model by how much data there was, so that a few
hundred records cannot teach nonsense; with fewer likely matches than `ENOUGH` the prior model is used as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.identity.model.levels import COMPARISONS, Comparison, block_condition, model_settings, prior_model

if TYPE_CHECKING:
    import duckdb

__all__ = ["ENOUGH", "Model", "learned", "likely_matches", "random_agreement", "train", "with_u"]

ENOUGH = 100
_RECALL = 0.7
_RANDOM_PAIRS = 100_000
_SAMPLE = 20_000
_BLOCKED_PAIRS = 200_000
_SURE = (("national_id", "birth_date"), ("given_name", "family_name", "birth_date"))
_SESSIONS = (("given_name", "family_name"), ("birth_date",))
_PRIOR_MATCHES = 50


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


def train(connection: duckdb.DuckDBPyConnection, records: int) -> Model:
    """The model for the records of the table ``comparable``.

    Args:
        connection: Holds ``comparable``.
        records: Its number of rows.
    """
    matches = likely_matches(connection) / _RECALL
    pairs = max(records * (records - 1) / 2, 1.0)
    probability = _significant(min(max(matches, 0.1 * records, 1.0) / pairs, 0.5))
    if matches < ENOUGH:
        return Model(prior_model(), probability, f"prior model: {int(matches)} likely matches are too few to train on")
    from splink import DuckDBAPI, Linker
    from splink.internals.exceptions import SplinkException

    believed = with_u(prior_model(), random_agreement(connection, records), probability)
    linker = Linker(
        DuckDBAPI(connection).register("comparable"),
        model_settings(believed, probability),
        log_level="ERROR",
        validate_settings=False,
    )
    # Threads may change the last bits of what is learned, and `_significant` cuts those off.
    try:
        for columns in _SESSIONS:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_condition(columns), estimate_without_term_frequencies=True, max_pairs=_BLOCKED_PAIRS
            )
    except SplinkException:
        # Where every blocked pair is a sure match, Splink meets an infinite weight.
        return Model(believed, probability, "prior model: the likely matches are too much alike to learn from")
    taught = linker.misc.save_model_to_json()["comparisons"]
    comparisons, doubted = learned(believed, taught, matches)
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


def random_agreement(connection: duckdb.DuckDBPyConnection, records: int) -> dict[str, list[float | None]]:
    """How often two records taken at random fall into each level of each comparison; None where nothing was seen.

    Keys are hashes, so records in the order of their keys are in random order, and each with those that follow
    is a random sample of pairs. How often a value agrees with itself is counted over all records.
    """
    size = min(records, _SAMPLE)
    steps = max(1, min(_RANDOM_PAIRS // size, size - 1))
    columns = [row[0] for row in connection.execute("DESCRIBE comparable").fetchall() if row[0] != "patient_key"]
    both = ", ".join(f"l.{column} AS {column}_l, r.{column} AS {column}_r" for column in columns)
    counts = ", ".join(
        f"count(*) FILTER ({comparison.name} = {at})"
        for comparison in COMPARISONS
        for at in range(len(comparison.levels))
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE sampled AS SELECT *, row_number() OVER (ORDER BY patient_key) - 1 AS place"
        f" FROM (FROM comparable ORDER BY patient_key LIMIT {size})"
    ).fetchall()
    found = list(
        connection.execute(
            f"SELECT {counts} FROM (SELECT {', '.join(map(_level_number, COMPARISONS))} FROM (SELECT {both}"
            f" FROM (SELECT *, unnest(range(1, {steps + 1})) AS step FROM sampled) AS l"
            f" JOIN sampled AS r ON r.place = (l.place + l.step) % {size}))"
        ).fetchall()[0]
    )
    result: dict[str, list[float | None]] = {}
    for comparison in COMPARISONS:
        seen = [found.pop(0) for _ in comparison.levels]
        shares: list[float | None] = [count / sum(seen) if sum(seen) else None for count in seen]
        if comparison.levels[0].condition == f"{comparison.name}_l = {comparison.name}_r":
            shares[0] = _self_agreement(connection, comparison.name)
        result[comparison.name] = shares
    return result


def _level_number(comparison: Comparison) -> str:
    whens = " ".join(
        f"WHEN {level.condition} THEN {at}" for at, level in enumerate(comparison.levels) if level.condition != "ELSE"
    )
    return f"CASE WHEN {comparison.null} THEN -1 {whens} ELSE {len(comparison.levels) - 1} END AS {comparison.name}"


def _self_agreement(connection: duckdb.DuckDBPyConnection, column: str) -> float | None:
    """The share of all pairs of records with the column filled that agree on it."""
    equal, filled = connection.execute(
        f"SELECT sum(n * (n - 1)), sum(n) FROM"
        f" (SELECT count(*)::DOUBLE AS n FROM comparable WHERE {column} IS NOT NULL GROUP BY {column})"
    ).fetchall()[0]
    return equal / (filled * (filled - 1)) if filled and filled > 1 else None


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
                    min(level["u_probability"], 1 / _RANDOM_PAIRS),
                )
                for share, level in zip(shares, scored, strict=True)
            ]
            for level, u in zip(scored, apart, strict=True):
                level["u_probability"] = _significant(u / sum(apart))
        result.append({"output_column_name": prior["output_column_name"], "comparison_levels": levels})
    return result


def learned(
    believed: list[dict[str, Any]], taught: list[dict[str, Any]], matches: float
) -> tuple[list[dict[str, Any]], list[str]]:
    """What was believed, with m moved towards what the data taught.

    A comparison whose teaching contradicts its meaning (agreement that speaks against a match, or disagreement that
    speaks for one) stays as it was believed.

    Args:
        believed: Comparisons with the m believed and the u seen.
        taught: The same comparisons as Splink trained them; levels that were not seen lack a probability.
        matches: Likely matches behind the teaching.

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
        blended = _blend(lesson, scored, matches)
        if blended[0] <= scored[0]["u_probability"] or blended[-1] >= scored[-1]["u_probability"]:
            doubted.append(name)
        else:
            for level, m in zip(scored, blended, strict=True):
                level["m_probability"] = m
        result.append({"output_column_name": name, "comparison_levels": levels})
    return result, doubted


def _blend(lesson: list[dict[str, Any]], prior: list[dict[str, Any]], weight: float) -> list[float]:
    believed = [float(level["m_probability"]) for level in prior]
    seen = [value if isinstance(value := level.get("m_probability"), float) else 0.0 for level in lesson]
    mixed = [
        (value * weight + belief * _PRIOR_MATCHES) / (weight + _PRIOR_MATCHES)
        for value, belief in zip(seen, believed, strict=True)
    ]
    return [_significant(value / sum(mixed)) for value in mixed]


def _significant(value: float) -> float:
    """Six significant digits, so that the last bit of a sum never shows."""
    return float(f"{value:.6g}")
