"""Identifier systems: which number names a person everywhere, learned from agreement with names across institutions.

A number whose values turn up at several institutions together with the same names is the person's (a health card, an
insurance number), whether or not anybody declared it. A number that agrees without the names is each institution's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["learn_systems"]

_LEAST = 5
_SHARE = 0.9


def learn_systems(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Make the table ``identifier_system`` (contract identity.IDENTIFIER_SYSTEM) from ``patient`` and ``declared``.

    Returns:
        The systems learned as person-wide, the one that most records hold first.
    """
    select = sql_text("evidence/systems", least=str(_LEAST), share=str(_SHARE))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE identifier_system AS {select}").fetchall()
    rows = connection.execute(
        "SELECT system FROM identifier_system WHERE verdict = 'person-wide' ORDER BY records DESC, system"
    ).fetchall()
    return tuple(system for (system,) in rows)
