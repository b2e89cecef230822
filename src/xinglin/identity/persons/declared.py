"""Records that an institution itself declares to be one person's, by one patient number or by a merge.

Such records are not compared: one stands for the others, and they go where it goes. A person's decision to split two
of them comes first.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from xinglin.identity.persons.clusters import Decided, Link, decided_pairs, divide
from xinglin.identity.sql import sql_text

if TYPE_CHECKING:
    import duckdb

__all__ = ["OWN_NUMBERS", "declare"]

OWN_NUMBERS = "urn:xinglin:patient-number"
"""System of a patient number without an assigning authority: it is the sender's own."""

_SHARED = 12


def declare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``declared`` (contract identity.DECLARED) from ``patient`` and ``decision``.

    Args:
        connection: Holds both.
    """
    edges = connection.execute(sql_text("persons/declared", shared=str(_SHARED), own=OWN_NUMBERS)).fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE declared (patient_key BIGINT, representative BIGINT)")
    if not edges:
        return
    members = {key for edge in edges for key in edge}
    rows = connection.execute("SELECT patient_key_l, patient_key_r, action FROM decision ORDER BY sequence").fetchall()
    decisions = [Decided(left, right, action == "merge") for left, right, action in rows if {left, right} <= members]
    parts = divide(members, [Link(left, right, 0.0) for left, right in edges], [], decided_pairs(decisions))
    order = connection.execute(sql_text("persons/declared_order"), {"keys": sorted(members)}).fetchall()
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for (key,) in order:
        groups[parts[key]].append(key)
    standing = [(key, group[0]) for group in groups.values() for key in group[1:]]
    if standing:
        connection.executemany("INSERT INTO declared VALUES (?, ?)", standing)
