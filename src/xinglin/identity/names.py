"""Under which ids a person is or was known: an id is the key of the record that founded the person.

So an id that ended, because its person was joined with another, is still the key of a record of that other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.sql import parquet_list
from xinglin.lake.engine import connect

if TYPE_CHECKING:
    from xinglin.lake.tables import Lake

__all__ = ["called_now", "every_name", "records_without"]


def called_now(lake: Lake, persons: Collection[int]) -> dict[int, int]:
    """The ids under which persons are known now; those whose founding record is gone are not in it.

    Args:
        lake: The lake.
        persons: Ids that were given at any time.
    """
    return dict(_asked(lake, "SELECT patient_key, person_id FROM {map} WHERE patient_key IN {asked}", persons))


def every_name(lake: Lake, persons: Collection[int]) -> frozenset[int]:
    """Every id under which the persons are or were known, those given among them.

    The keys of all of their records are named: some of them were never ids, and then nothing goes by them.

    Args:
        lake: The lake.
        persons: Ids that were given at any time.
    """
    joined = (
        "SELECT patient_key, person_id FROM {map} WHERE person_id IN"
        " (SELECT person_id FROM {map} WHERE patient_key IN {asked} OR person_id IN {asked})"
    )
    return frozenset(persons) | {name for row in _asked(lake, joined, persons) for name in row}


def _asked(lake: Lake, select: str, persons: Collection[int]) -> list[tuple[int, int]]:
    if not persons:
        return []
    known = lake.relation(PERSON_MAP)
    with connect(memory_mb=400, threads=1) as connection:
        listed = ", ".join(map(str, sorted(persons)))
        sql = select.format(map=known, asked=f"(SELECT UNNEST([{listed}]::BIGINT[]))")
        return [(int(key), int(person)) for key, person in connection.execute(sql).fetchall()]


def records_without(lake: Lake, paths: Sequence[str]) -> list[int]:
    """The records, by `patient_key`, of the persons whom the lake's permit leaves out.

    Records that were not linked yet are among them: they may be anybody's.

    Args:
        lake: Of the region.
        paths: The landed files that are read.
    """

    if not lake.permit.without or not paths:
        return []
    persons = lake.relation(PERSON_MAP)
    listed = ", ".join(map(str, sorted(lake.permit.without)))
    with connect(400, 1) as connection:
        rows = connection.execute(
            f"SELECT DISTINCT patient_key FROM read_parquet({parquet_list(list(paths))}) ANTI JOIN"
            f" (FROM {persons} WHERE person_id NOT IN (SELECT UNNEST([{listed}]::BIGINT[]))) USING (patient_key)"
            " WHERE patient_key IS NOT NULL"
        ).fetchall()
    return [key for (key,) in rows]
