"""Keyed pseudonyms and date shifts: one key per project, one salt per person.

A person's pseudonym, date shift and row pseudonyms are BLAKE2b (RFC 7693) hashes of the id and a random salt per
person, with a key derived from the region's key and the project's name. Pseudonyms of two projects cannot be linked
without the region's key; after the person's salt was deleted, not even with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from xinglin.core.files import exclusive, private_file

__all__ = ["Person", "Project", "Salts", "region_key"]

_MASK = (1 << 63) - 1
_DAYS = 364
_ENTRY = [("person", "<i8"), ("salt", "V16")]


@dataclass(frozen=True)
class Person:
    """A person's pseudonym in a project.

    Args:
        pseudonym: Replaces person_id, 63 bits.
        days: Date shift in days, 1 to 364 forwards or backwards.
        rows: Salt of the pseudonyms of the person's rows.
    """

    pseudonym: int
    days: int
    rows: int


class Project:
    """The pseudonyms of one project.

    Args:
        region: The region's key, 32 bytes.
        name: Name of the project.

    Example:
        >>> one, other = Project(bytes(32), "stroke"), Project(bytes(32), "diabetes")
        >>> one.person(7, bytes(16)) == one.person(7, bytes(16)), one.person(7, bytes(16)) == other.person(7, bytes(16))
        (True, False)
    """

    def __init__(self, region: bytes, name: str) -> None:
        self.name = name
        self._key = blake2b(b"xinglin project 1\x00" + name.encode(), key=region, digest_size=32).digest()

    def person(self, person_id: int, salt: bytes) -> Person:
        """Pseudonym and date shift of a person with this salt."""
        content = person_id.to_bytes(8, "little") + salt
        digest = blake2b(content, key=self._key, digest_size=24, person=b"person").digest()
        days = int.from_bytes(digest[8:16], "little") % (2 * _DAYS) - _DAYS
        pseudonym = int.from_bytes(digest[:8], "little") & _MASK
        return Person(pseudonym, days + (days >= 0), int.from_bytes(digest[16:], "little") & _MASK)

    def rows(self, ids: Any, salts: Any) -> Any:
        """Pseudonyms of many rows, from NumPy arrays of ids and of their persons' `rows`; 63 bits."""
        import numpy as np

        data = np.column_stack([ids.astype("<i8"), salts.astype("<i8")]).tobytes()
        key, make = self._key, blake2b
        digests = b"".join(
            [make(data[at : at + 16], key=key, digest_size=8, person=b"row").digest() for at in range(0, len(data), 16)]
        )
        return (np.frombuffer(digests, "<u8") & np.uint64(_MASK)).astype("i8")


class Salts:
    """The random salts of persons, in one private file; created on first use.

    Args:
        path: The file: 24 bytes per person, sorted.

    Example:
        >>> import tempfile
        >>> salts = Salts(Path(tempfile.mkdtemp()) / "keys" / "person-salts")
        >>> first = salts.of([3, 5])
        >>> salts.destroy([5]), salts.of([3])[3] == first[3], salts.of([5])[5] == first[5]
        (1, True, False)
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, persons: Sequence[int]) -> dict[int, bytes]:
        """The salts of these persons."""
        with exclusive(self.path.with_name(f".{self.path.name}.lock"), doing="pseudonyms"):
            known = self._read()
            new = [person for person in persons if person not in known]
            if new:
                random = os.urandom(16 * len(new))
                known |= {person: random[16 * at : 16 * at + 16] for at, person in enumerate(new)}
                self._write(known)
        return {person: known[person] for person in persons}

    def destroy(self, persons: Iterable[int]) -> int:
        """Delete the salts of these persons; returns their number."""
        with exclusive(self.path.with_name(f".{self.path.name}.lock"), doing="pseudonyms"):
            known = self._read()
            gone = [person for person in set(persons) if known.pop(person, None) is not None]
            if gone:
                self._write(known)
        return len(gone)

    def _read(self) -> dict[int, bytes]:
        import numpy as np

        if not self.path.is_file():
            return {}
        entries = np.frombuffer(self.path.read_bytes(), dtype=_ENTRY)
        persons: list[int] = entries["person"].tolist()
        raw = entries["salt"].tobytes()
        return {person: raw[16 * at : 16 * at + 16] for at, person in enumerate(persons)}

    def _write(self, known: dict[int, bytes]) -> None:
        private_file(self.path, b"".join(one.to_bytes(8, "little") + known[one] for one in sorted(known)))


def region_key(path: Path) -> bytes:
    """The region's key for pseudonyms, mode 600; created on first use.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "keys" / "pseudonym.key"
        >>> region_key(path) == region_key(path), len(region_key(path))
        (True, 32)
    """
    with exclusive(path.with_name(f".{path.name}.lock"), doing="pseudonyms"):
        if not path.is_file():
            private_file(path, os.urandom(32).hex().encode() + b"\n")
    return bytes.fromhex(path.read_text().strip())
