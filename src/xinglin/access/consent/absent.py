"""Who has no consent: known without a query, once the table was gone through, a little at each question."""

from __future__ import annotations

import sqlite3

__all__ = ["IDS", "Roll"]

IDS = 2**63
"""Identifiers of persons lie from -IDS to IDS - 1."""
_PLACES = 1 << 22
_STEP = 32
_NEXT = "SELECT person FROM consent WHERE person >= ? ORDER BY person LIMIT ?"


class Roll:
    """Marks for the persons who have consents, at one version of the store.

    Persons may share a mark. Four megabytes serve a million persons; three of four of those who have no consent are
    then known by it.

    Args:
        version: The version.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self._marks = bytearray(_PLACES)
        self._next: int | None = -IDS

    @property
    def whole(self) -> bool:
        """Whether all persons are marked."""
        return self._next is None

    def lacks(self, person: int) -> bool:
        """Whether a person surely has no consent.

        Args:
            person: Who.
        """
        return self._next is None and not self._marks[_place(person)]

    def read(self, file: sqlite3.Connection) -> list[int]:
        """The next persons, few enough to cost less than the question that they are read with.

        Args:
            file: The consents.
        """
        return [person for (person,) in file.execute(_NEXT, (self._next, _STEP))]

    def mark(self, persons: list[int]) -> None:
        """Mark what `read` gave, once it is sure that it is of the version.

        Args:
            persons: Them.
        """
        for person in persons:
            self._marks[_place(person)] = 1
        self._next = persons[-1] + 1 if len(persons) == _STEP and persons[-1] < IDS - 1 else None


def _place(person: int) -> int:
    # Neighbours lie apart, and so do numbers that end alike.
    return (person * 0x9E3779B97F4A7C15 >> 42) % _PLACES
