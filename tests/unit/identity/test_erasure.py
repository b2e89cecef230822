"""Which tables of identity an erasure goes through."""

from __future__ import annotations

from xinglin.contracts.identity import TABLES
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.identity.erasure import _ABOUT


def test_only_the_counts_by_identifier_system_have_no_column_about_a_person():
    without = {table.name for table in (*TABLES, PERSON_MAP) if not set(_ABOUT) & set(table.column_names)}

    assert without == {"identifier_system"}
