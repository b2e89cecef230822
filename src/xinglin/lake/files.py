"""Snapshots of a stage and the data files they name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import NotFound
from xinglin.core.permit import CLOSED, Permit
from xinglin.core.sql import parquet_list

if TYPE_CHECKING:
    from xinglin.contracts.model import Table
    from xinglin.lake.storage import Storage

__all__ = ["DataFile", "Snapshot", "table_relation"]


def table_relation(table: Table, paths: Sequence[str]) -> str:
    """Files of a table as an item for FROM; an empty relation with the contract's columns where there are none.

    Args:
        table: The contract.
        paths: Parquet files with the contract's columns.

    Example:
        >>> from xinglin.contracts.person_map import PERSON_MAP
        >>> table_relation(PERSON_MAP, ["/a.parquet"])
        "read_parquet(['/a.parquet'])"
        >>> table_relation(PERSON_MAP, [])
        '(SELECT NULL::BIGINT AS "patient_key", NULL::BIGINT AS "person_id" WHERE false)'
    """
    if paths:
        return f"read_parquet({parquet_list(list(paths))})"
    columns = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in table.columns)
    return f"(SELECT {columns} WHERE false)"


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
        stage: The stage.
        version: Grows by one with every publication that changed something.
        tables: The files of every table.
        state: State of the stage (JSON).
        storage: Where the files are.
        token: The storage's mark of this version of the pointer.
        permit: The lake's access decision, checked before a file is named.
    """

    stage: str
    version: int
    tables: dict[str, list[DataFile]]
    state: dict[str, Any]
    storage: Storage = field(repr=False, compare=False)
    token: str = field(default="", repr=False, compare=False)
    permit: Permit = field(default=CLOSED, repr=False, compare=False)

    def files(self, table: str, buckets: Collection[int] | None = None) -> list[str]:
        """Absolute paths on this machine of a table's files, sorted, of all buckets or of some.

        For a remote lake these are paths of local copies; missing copies are fetched.

        Raises:
            NotFound: The stage has no such table.
            AccessDenied: The stage may not be read.
        """
        self.permit.require(self.stage)
        if table not in self.tables:
            raise NotFound(f"there is no table {table!r}", source=self.stage, remedy="run: xinglin status")
        files = sorted(self.tables[table], key=lambda file: file.path)
        chosen = [file.path for file in files if buckets is None or file.bucket in buckets]
        return self.storage.paths([f"{self.stage}/{table}/{path}" for path in chosen])

    def relation(self, table: Table) -> str:
        """The rows of a table as an item for FROM; none where the stage never wrote the table.

        Raises:
            AccessDenied: The stage may not be read.
        """
        return table_relation(table, self.files(table.name) if self.tables.get(table.name) else [])

    def rows(self, table: str) -> int:
        """Number of rows of a table; 0 where the stage has no such table."""
        return sum(file.rows for file in self.tables.get(table, []))
