"""Commits to one Delta table: the difference between the files it shows and the files it should show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.contracts.model import Table
from xinglin.lake.files import DataFile

if TYPE_CHECKING:
    from deltalake import DeltaTable, Schema

__all__ = ["commit_files"]

_DELTA_TYPES = {
    "BIGINT": "long",
    "INTEGER": "integer",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "BOOLEAN": "boolean",
    "BLOB": "binary",
}


def commit_files(folder: Path, table: Table, files: Sequence[DataFile]) -> int:
    """Make the Delta table in `folder` show exactly `files`.

    Args:
        folder: The table's folder; the files are in it already.
        table: The contract, for schema and partitioning.
        files: All files the table shall show.

    Returns:
        The Delta version.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError
    from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

    def add(file: DataFile) -> AddAction:
        partition = {"bucket": str(file.bucket)} if table.bucketed else {}
        return AddAction(file.path, file.size, partition, 0, True, json.dumps({"numRecords": file.rows}))

    try:
        current = DeltaTable(str(folder))
    except TableNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        create_table_with_add_actions(
            str(folder),
            _schema(table),
            [add(file) for file in files],
            mode="error",
            partition_by=["bucket"] if table.bucketed else [],
            name=table.name,
            description=table.grain,
        )
        return DeltaTable(str(folder)).version()
    shown = _shown(current)
    wanted = {file.path for file in files}
    actions: list[AddAction | RemoveAction] = [add(file) for file in files if file.path not in shown]
    actions += [
        RemoveAction(path, True, 0, size, {"bucket": str(bucket)} if table.bucketed else {})
        for path, (size, bucket) in sorted(shown.items())
        if path not in wanted
    ]
    if not actions:
        return current.version()
    current.create_write_transaction(
        actions, "append", _schema(table), partition_by=["bucket"] if table.bucketed else []
    )
    return DeltaTable(str(folder)).version()


def _schema(table: Table) -> Schema:
    """The Delta schema of a contract; the partition column comes last."""
    from deltalake import Field, Schema
    from deltalake.schema import PrimitiveType

    fields = [Field(column.name, PrimitiveType(_DELTA_TYPES[column.type]), nullable=True) for column in table.columns]
    if table.bucketed:
        fields.append(Field("bucket", PrimitiveType("integer"), nullable=False))
    return Schema(fields)


def _shown(current: DeltaTable) -> dict[str, tuple[int, int | None]]:
    """Path -> (size, bucket) of the files that a Delta table shows now."""
    actions = current.get_add_actions(flatten=True)
    paths = actions["path"].to_pylist()
    sizes = actions["size_bytes"].to_pylist()
    has_bucket = "partition.bucket" in actions.schema.names
    buckets = actions["partition.bucket"].to_pylist() if has_bucket else [None] * len(paths)
    return {path: (size, bucket) for path, size, bucket in zip(paths, sizes, buckets, strict=True)}
