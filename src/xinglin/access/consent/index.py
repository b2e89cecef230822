"""The consent index: tells without a query that a person has no consent. Each lookup reads a part of the table."""

from __future__ import annotations

import sqlite3

__all__ = ["IDS", "ConsentIndex"]

IDS = 2**63
"""Range of `person_id`: from -IDS to IDS - 1."""
_PLACES = 1 << 22
_STEP = 32
_NEXT = "SELECT person FROM consent WHERE person >= ? ORDER BY person LIMIT ?"


class ConsentIndex:
    """A hash filter of the persons with consents, for one version of the store.

    Persons may share a slot. With 4 MiB and one million persons with consents, three of four persons without consent
    are recognised.

    Args:
        version: Version of the store.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self._marks = bytearray(_PLACES)
        self._next: int | None = -IDS

    @property
    def whole(self) -> bool:
        """Whether all persons have been read."""
        return self._next is None

    def lacks(self, person: int) -> bool:
        """Whether a person certainly has no consent.

        Args:
            person: `person_id`.
        """
        return self._next is None and not self._marks[_place(person)]

    def read(self, file: sqlite3.Connection) -> list[int]:
        """Read the next few persons; cheaper than the lookup that triggers it.

        Args:
            file: Database of the consents.
        """
        return [person for (person,) in file.execute(_NEXT, (self._next, _STEP))]

    def mark(self, persons: list[int]) -> None:
        """Add the persons that `read` returned, after the version was checked.

        Args:
            persons: `person_id`s in ascending order.
        """
        for person in persons:
            self._marks[_place(person)] = 1
        self._next = persons[-1] + 1 if len(persons) == _STEP and persons[-1] < IDS - 1 else None


def _place(person: int) -> int:
    # Multiplicative hashing: spreads neighbouring ids and ids with equal last digits.
    return (person * 0x9E3779B97F4A7C15 >> 42) % _PLACES
