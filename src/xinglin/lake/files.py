"""What a snapshot of a stage is made of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xinglin.core.errors import NotFound

__all__ = ["DataFile", "Snapshot"]


@dataclass(frozen=True, order=True)
class DataFile:
    """One immutable Parquet file of a table.

    Args:
        path: Relative to the table's folder; its name is made from its content.
        rows: Number of rows.
        size: Bytes.
        bucket: Person bucket, or None where the table has none.
    """

    path: str
    rows: int
    size: int
    bucket: int | None = None

    def to_json(self) -> list[Any]:
        """The file as a short JSON array."""
        return [self.path, self.rows, self.size, self.bucket]

    @classmethod
    def from_json(cls, values: list[Any]) -> DataFile:
        """The reverse of `to_json`.

        Example:
            >>> DataFile.from_json(DataFile("a.parquet", 3, 100).to_json())
            DataFile(path='a.parquet', rows=3, size=100, bucket=None)
        """
        return cls(*values)


@dataclass(frozen=True)
class Snapshot:
    """All tables of one stage at one moment.

    Args:
        root: The stage's folder.
        version: Grows by one with every publication that changed something.
        tables: The files of every table.
        delta: The Delta version of every table.
        state: What the stage remembers about its work (JSON).
    """

    root: Path
    version: int
    tables: dict[str, list[DataFile]]
    delta: dict[str, int]
    state: dict[str, Any] = field(default_factory=dict)

    def files(self, table: str, buckets: Collection[int] | None = None) -> list[str]:
        """Absolute paths of a table's files, sorted, of all buckets or of some.

        Raises:
            NotFound: The stage has no such table.
        """
        if table not in self.tables:
            raise NotFound(f"there is no table {table!r}", source=str(self.root), remedy="run: xinglin status")
        return [
            str(self.root / table / file.path)
            for file in sorted(self.tables[table], key=lambda file: file.path)
            if buckets is None or file.bucket in buckets
        ]

    def rows(self, table: str) -> int:
        """Number of rows of a table; 0 where the stage has no such table."""
        return sum(file.rows for file in self.tables.get(table, []))
