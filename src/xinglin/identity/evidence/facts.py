"""The facts of a pair: what agrees, what is a slip, what contradicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["make_facts"]

_TYPOS_FROM = 20_000
"""From so many records on, a spelling seen once or twice beside one seen often is a slip, not a name."""


def make_facts(connection: duckdb.DuckDBPyConnection, pairs: str, into: str) -> None:
    """Make the table `into`: the facts of pairs of ``comparable`` (``sql/evidence/facts.sql``)."""
    records = int(connection.execute("SELECT count(*) FROM comparable").fetchall()[0][0])
    select = sql_text("evidence/facts", pairs=pairs, typos=str(records >= _TYPOS_FROM).lower())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {select}").fetchall()
