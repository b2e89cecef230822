"""One person's records: at which institutions, under which keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xinglin.contracts.identity import PERSON_LINK
from xinglin.lake.engine import connect, parquet_list

if TYPE_CHECKING:
    from xinglin.lake.tables import Lake

__all__ = ["LinkedRecord", "records_of"]


class LinkedRecord(NamedTuple):
    """A record that belongs to the person: the site, and the key of its Patient."""

    site: str
    patient_key: int


def records_of(lake: Lake, person: int) -> list[LinkedRecord]:
    """The records of one person, in the order of sites; none where nothing was linked yet.

    Args:
        lake: The lake.
        person: `person_id`.
    """
    snapshot = lake.snapshot(PERSON_LINK.stage)
    files = snapshot.files(PERSON_LINK.name) if snapshot and snapshot.tables.get(PERSON_LINK.name) else []
    if not files:
        return []
    with connect(memory_mb=200, threads=1) as connection:
        rows = connection.execute(
            f"SELECT site, patient_key FROM read_parquet({parquet_list(files)}) WHERE person_id = ? ORDER BY ALL",
            [person],
        ).fetchall()
    return [LinkedRecord(*row) for row in rows]
