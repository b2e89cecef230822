"""Delta tables for external readers: each shows the files of the stage's published snapshot.

The pointer is the truth, so a Delta commit comes after it. Every commit carries the number of the snapshot as a ``txn``
action; a table that shows a later snapshot already is left alone, and one that a killed run left behind catches up with
the next publication.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from xinglin.contracts.model import Table
from xinglin.core.errors import Conflict, StorageError
from xinglin.lake.files import DataFile, Snapshot
from xinglin.lake.storage import Storage, bounded, persist

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable, Schema
    from deltalake.transaction import AddAction, RemoveAction

__all__ = ["show_in_delta"]

_MARK = "_delta.json"
_APPLICATION = "xinglin"
_AT_ONCE = 4
_LIMIT = 120.0
_WAITS = (0.1, 1.0, 2.0, 4.0, 8.0, 16.0)
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


def show_in_delta(storage: Storage, now: Snapshot, tables: Iterable[Table], before: Snapshot | None) -> None:
    """Make the stage's Delta tables show what a snapshot shows.

    Args:
        storage: Where the lake lies.
        now: The snapshot that is shown.
        tables: The contracts of its tables.
        before: The snapshot before it; tables that are as they were then are left alone, if the Delta tables had
            caught up with it.

    Raises:
        StorageError: The storage failed. The snapshot is published; the next publication repairs the Delta tables.
    """
    key = f"{now.stage}/{_MARK}"
    mark = storage.read(key)
    caught_up = json.loads(mark.data)["version"] if mark else 0
    if caught_up >= now.version:
        return
    known = before.tables if before and caught_up == before.version else {}
    changed = [table for table in tables if known.get(table.name) != now.tables[table.name]]
    show = partial(_show, storage, now)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(show, changed))
    # A concurrent publication of the next snapshot writes the mark itself.
    with suppress(Conflict):
        storage.replace(key, json.dumps({"version": now.version}).encode(), mark.token if mark else None)


def _show(storage: Storage, now: Snapshot, table: Table) -> None:
    from deltalake.exceptions import DeltaError

    def commit() -> None:
        place = storage.delta(f"{now.stage}/{table.name}")
        bounded(partial(commit_files, place, table, now.tables[table.name], now.version), _LIMIT)

    refusal = StorageError(
        "a Delta log could not be written; the tables are published all the same",
        source=f"{storage.url}/{now.stage}/{table.name}",
        remedy="run the stage again",
        retry=True,
    )
    # Two commits collided, or a node went away; what is there when it is tried again decides what is left to do.
    persist(commit, (DeltaError, OSError), (), refusal, _WAITS)


def commit_files(place: tuple[str, dict[str, str]], table: Table, files: Sequence[DataFile], number: int) -> None:
    """Make one Delta table show exactly `files`.

    Args:
        place: Its address and the options to open it with.
        table: The contract, for schema and partitioning.
        files: All files the table shall show; they are in its folder already.
        number: Number of the snapshot. A table that shows this one or a later one stays as it is.
    """
    from deltalake import CommitProperties, DeltaTable, Transaction
    from deltalake.exceptions import TableNotFoundError
    from deltalake.transaction import create_table_with_add_actions

    address, options = place
    properties = CommitProperties(app_transactions=[Transaction(_APPLICATION, number)])
    try:
        current = DeltaTable(address, storage_options=options)
    except TableNotFoundError:
        create_table_with_add_actions(
            address,
            _schema(table),
            [_add(table, file) for file in files],
            mode="error",
            partition_by=["bucket"] if table.bucketed else [],
            name=table.name,
            description=table.grain,
            storage_options=options,
            commit_properties=properties,
        )
        return
    if (current.transaction_version(_APPLICATION) or 0) < number:
        _commit_difference(current, table, files, properties)


def _commit_difference(
    current: DeltaTable, table: Table, files: Sequence[DataFile], properties: CommitProperties
) -> None:
    from deltalake.transaction import RemoveAction

    shown = _shown(current)
    wanted = {file.path for file in files}
    actions: list[AddAction | RemoveAction] = [_add(table, file) for file in files if file.path not in shown]
    actions += [
        RemoveAction(path, True, 0, size, {"bucket": str(bucket)} if table.bucketed else {})
        for path, (size, bucket) in sorted(shown.items())
        if path not in wanted
    ]
    if actions:
        partition = ["bucket"] if table.bucketed else []
        current.create_write_transaction(
            actions, "append", _schema(table), partition_by=partition, commit_properties=properties
        )


def _add(table: Table, file: DataFile) -> AddAction:
    from deltalake.transaction import AddAction

    partition: dict[str, str | None] = {"bucket": str(file.bucket)} if table.bucketed else {}
    return AddAction(file.path, file.size, partition, 0, True, json.dumps({"numRecords": file.rows}))


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
