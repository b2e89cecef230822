"""What the pairs of a region show before any is scored: random pairs for u, pairs of one block for m."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xinglin.identity.model.levels import COMPARISONS, Comparison

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "RANDOM_PAIRS", "Pattern", "block_patterns", "both_sides", "level_number", "likely_matches", "random_agreement",
]  # fmt: skip

RANDOM_PAIRS = 100_000
_SAMPLE = 20_000
_BLOCKED_PAIRS = 200_000
_LARGEST_BLOCK = 200
_SURE = (("national_id", "birth_date"), ("card_1", "birth_date"), ("given_name", "family_name", "birth_date"))

Pattern = tuple[tuple[int, ...], int]
"""The level of every comparison (-1: says nothing), and the number of pairs that show it."""


def likely_matches(connection: duckdb.DuckDBPyConnection) -> int:
    """Pairs of ``comparable`` that agree in number and birth date, or in whole name and birth date."""
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
    is a random sample of pairs. How often values of `Level.columns` agree is counted over all pairs.
    """
    size = min(records, _SAMPLE)
    steps = max(1, min(RANDOM_PAIRS // size, size - 1))
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
            f"SELECT {counts} FROM (SELECT {', '.join(map(level_number, COMPARISONS))}"
            f" FROM (SELECT {both_sides(connection)}"
            f" FROM (SELECT *, unnest(range(1, {steps + 1})) AS step FROM sampled) AS l"
            f" JOIN sampled AS r ON r.place = (l.place + l.step) % {size}))"
        ).fetchall()[0]
    )
    result: dict[str, list[float | None]] = {}
    for comparison in COMPARISONS:
        seen = [found.pop(0) for _ in comparison.levels]
        shares: list[float | None] = [count / sum(seen) if sum(seen) else None for count in seen]
        result[comparison.name] = [
            _agreement(connection, comparison, at) if level.columns else share
            for at, (level, share) in enumerate(zip(comparison.levels, shares, strict=True))
        ]
    return result


def block_patterns(connection: duckdb.DuckDBPyConnection, block: Sequence[str]) -> list[Pattern]:
    """The patterns of pairs of ``comparable`` that are equal in the columns of `block`.

    Of large blocks and of many, a sample is taken by their hash, so that it does not depend on the engine's threads.
    """
    key = ", '|', ".join(block)
    filled = " AND ".join(f"{column} IS NOT NULL" for column in block)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE blocked AS SELECT * FROM (SELECT *,"
        f" md5_number_lower(concat({key})) AS block, row_number() OVER (PARTITION BY {', '.join(block)}"
        f" ORDER BY patient_key) AS place FROM comparable WHERE {filled}) WHERE place <= {_LARGEST_BLOCK}"
    ).fetchall()
    pairs = connection.execute(
        "SELECT coalesce(sum(n * (n - 1) // 2), 0) FROM (SELECT count(*) AS n FROM blocked GROUP BY block)"
    ).fetchall()[0][0]
    every = max(1, -(-int(pairs) // _BLOCKED_PAIRS))
    names = ", ".join(comparison.name for comparison in COMPARISONS)
    rows = connection.execute(
        f"SELECT {names}, count(*) FROM (SELECT {', '.join(map(level_number, COMPARISONS))}"
        f" FROM (SELECT {both_sides(connection)} FROM blocked AS l JOIN blocked AS r ON r.block = l.block"
        f" AND r.patient_key > l.patient_key WHERE l.block % {every} = 0)) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [(tuple(row[:-1]), int(row[-1])) for row in rows]


def both_sides(connection: duckdb.DuckDBPyConnection) -> str:
    """The columns of ``comparable`` for two rows l and r, as the conditions of levels name them."""
    columns = [row[0] for row in connection.execute("DESCRIBE comparable").fetchall() if row[0] != "patient_key"]
    return ", ".join(f"l.{column} AS {column}_l, r.{column} AS {column}_r" for column in columns)


def level_number(comparison: Comparison) -> str:
    """SQL for the level of a comparison: 0 for the strictest, -1 where it says nothing."""
    whens = " ".join(
        f"WHEN {level.condition} THEN {at}" for at, level in enumerate(comparison.levels) if level.condition != "ELSE"
    )
    return f"CASE WHEN {comparison.null} THEN -1 {whens} ELSE {len(comparison.levels) - 1} END AS {comparison.name}"


def _agreement(connection: duckdb.DuckDBPyConnection, comparison: Comparison, at: int) -> float | None:
    """The share of all pairs with the columns filled that agree on them, without those of stricter levels."""
    share = _self_agreement(connection, comparison.levels[at].columns)
    wider = set(comparison.levels[at].columns)
    stricter = [level for level in comparison.levels[:at] if wider < set(level.columns)]
    if share is None or not stricter:
        return share
    taken = sum(_self_agreement(connection, level.columns) or 0.0 for level in stricter)
    return max(share - taken, 0.0)


def _self_agreement(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> float | None:
    filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    equal, total = connection.execute(
        f"SELECT sum(n * (n - 1)), sum(n) FROM"
        f" (SELECT count(*)::DOUBLE AS n FROM comparable WHERE {filled} GROUP BY {', '.join(columns)})"
    ).fetchall()[0]
    return equal / (total * (total - 1)) if total and total > 1 else None
