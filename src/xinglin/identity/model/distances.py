"""DuckDB's measures of likeness as functions of Spark's SQL.

Spark's edit distance counts characters where DuckDB's counts bytes, and the measures of Splink's own jar round
transpositions otherwise; a level that one engine grants and the other refuses would make other persons of the same
records. So a Spark task asks DuckDB, a batch of pairs at a time. This module travels by value to executors that know
Xinglin only from an archive, so it imports nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

__all__ = ["asking_duckdb", "register_distances"]

_KINDS = {
    "levenshtein": "bigint",
    "damerau_levenshtein": "bigint",
    "jaro_winkler_similarity": "double",
    "jaccard": "double",
}
_CALL = re.compile(rf"\b({'|'.join(_KINDS)})\(")
_PREFIX = "duckdb_"


def asking_duckdb(condition: str) -> str:
    """A condition of the model with the functions that `register_distances` gives a session.

    Example:
        >>> asking_duckdb("levenshtein(a_l, a_r) <= 2 AND damerau_levenshtein(a_l, a_r) <= 1")
        'duckdb_levenshtein(a_l, a_r) <= 2 AND duckdb_damerau_levenshtein(a_l, a_r) <= 1'
    """
    return _CALL.sub(rf"{_PREFIX}\1(", condition)


def register_distances(session: SparkSession) -> None:
    """Teach a session the functions; teaching it twice does no harm."""
    import sys

    from pyspark import cloudpickle
    from pyspark.sql.functions import arrow_udf  # type: ignore[attr-defined]

    by_value: Callable[[Any], None] = cloudpickle.register_pickle_by_value
    by_value(sys.modules[__name__])
    made: Callable[..., Any] = arrow_udf
    for name, kind in _KINDS.items():
        session.udf.register(_PREFIX + name, made(_measure(name), kind))


def _measure(name: str) -> Callable[[pa.Array, pa.Array], pa.Array]:
    """One of DuckDB's functions over two columns of the same length."""
    import pyarrow

    def measure(left: Any, right: Any) -> Any:
        import duckdb
        import pyarrow

        # Spark asks for all pairs of a batch, DuckDB's CASE only for some; and jaccard refuses empty texts.
        asked = f"CASE WHEN l != '' AND r != '' THEN {name}(l, r) END" if name == "jaccard" else f"{name}(l, r)"
        pairs = duckdb.from_arrow(pyarrow.table({"l": left, "r": right}))
        table: Any = pairs.project(f"{asked} AS d").to_arrow_table()
        return table.column("d").combine_chunks()

    # Spark reads here that the function takes and gives whole columns.
    measure.__annotations__ = {"left": pyarrow.Array, "right": pyarrow.Array, "return": pyarrow.Array}
    return measure
