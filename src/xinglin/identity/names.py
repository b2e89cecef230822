"""Under which ids a person is or was known: an id is the key of the record that founded the person.

So an id that ended, because its person was joined with another, is still the key of a record of that other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from xinglin.contracts.person_map import PERSON_MAP
from xinglin.lake.engine import connect, parquet_list

if TYPE_CHECKING:
    from xinglin.lake.tables import Lake

__all__ = ["called_now", "every_name"]


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
    snapshot = lake.snapshot(PERSON_MAP.stage)
    files = snapshot.files(PERSON_MAP.name) if snapshot and snapshot.tables.get(PERSON_MAP.name) else []
    if not files or not persons:
        return []
    with connect(memory_mb=400, threads=1) as connection:
        listed = ", ".join(map(str, sorted(persons)))
        sql = select.format(map=f"read_parquet({parquet_list(files)})", asked=f"(SELECT UNNEST([{listed}]::BIGINT[]))")
        return [(int(key), int(person)) for key, person in connection.execute(sql).fetchall()]
