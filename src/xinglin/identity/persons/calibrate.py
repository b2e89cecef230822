"""The probability from which pairs are linked: as asked for, or higher where that would let too many errors through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["calibrated"]

_RECORDS_PER_ERROR = 100_000
_LEAST_ERRORS = 0.5
_RECORDS_PER_ERROR_ALONE = 1_000


def calibrated(connection: duckdb.DuckDBPyConnection, upper: float, records: int, *, households: bool) -> float:
    """The lowest probability from `upper` on at which the expected number of false links stays within the budget.

    The budget is one in 100,000 records, and half a link in a small region. A pair of probability p is false with
    probability 1 - p, so the surest pairs are taken until their sum is used up.

    Args:
        connection: Holds ``pair``.
        upper: Probability asked for.
        records: Records compared.
        households: Whether households are in the data. Where nobody lives with anybody, the model's doubts are too
            many, and one in 1,000 is allowed.
    """
    budget = max(records / (_RECORDS_PER_ERROR if households else _RECORDS_PER_ERROR_ALONE), _LEAST_ERRORS)
    row = connection.execute(
        "SELECT min(probability) FROM ("
        "SELECT probability, sum(errors) OVER (ORDER BY probability DESC) AS expected FROM ("
        "SELECT probability, count(*) * (1 - probability) AS errors FROM pair"
        f" WHERE probability >= {upper} AND objection IS NULL GROUP BY probability)) WHERE expected <= {budget}"
    ).fetchall()[0]
    return float(row[0]) if row[0] is not None else 1.0
