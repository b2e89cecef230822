"""One person's records: at which institutions, under which keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from xinglin.contracts.identity import PERSON_LINK
from xinglin.lake.engine import connect

if TYPE_CHECKING:
    from xinglin.lake.tables import Lake

__all__ = ["LinkedRecord", "person_of", "records_of"]


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
    return [LinkedRecord(*row) for row in _links(lake, "site, patient_key", "person_id", person)]


def person_of(lake: Lake, key: int) -> int | None:
    """The `person_id` that a record belongs to; None for one that was not linked yet.

    Args:
        lake: The lake.
        key: Key of its Patient.
    """
    return next((person for (person,) in _links(lake, "person_id", "patient_key", key)), None)


def _links(lake: Lake, columns: str, where: str, value: int) -> list[tuple[Any, ...]]:
    links = lake.relation(PERSON_LINK)
    with connect(memory_mb=200, threads=1) as connection:
        return connection.execute(f"SELECT {columns} FROM {links} WHERE {where} = ? ORDER BY ALL", [value]).fetchall()
