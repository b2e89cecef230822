"""Parquet files by contract: schemas, and tables from a worker's columns without copying texts twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.landing import QUARANTINE, RESOURCE, SUPERSEDED
from xinglin.contracts.model import Table

if TYPE_CHECKING:
    from xinglin.landing.batch.rows import Rows

__all__ = ["ROW_GROUP", "quarantine_table", "resource_table", "superseded_table", "sync", "write_table", "writer"]

ROW_GROUP = 16_384
_LEVEL = 1


def schema(table: Table) -> Any:
    """The Arrow schema of a landing contract; the leaf has its fixed width."""
    import pyarrow as pa

    types = {"BIGINT": pa.int64(), "INTEGER": pa.int32(), "VARCHAR": pa.string(), "BLOB": pa.binary()}
    return pa.schema(
        [
            pa.field(
                column.name,
                pa.binary(32) if column.unit == "32 bytes" else types[column.type],
                nullable=not column.required,
            )
            for column in table.columns
        ]
    )


def resource_table(rows: Rows, keys: Any) -> Any:
    """The Arrow table of a worker's rows and their keys."""
    import pyarrow as pa

    size = len(rows.texts)
    columns = [
        pa.array(keys, pa.int64()),
        pa.array(rows.patients, pa.int64()),
        pa.array(rows.ids, pa.string()),
        pa.Array.from_buffers(pa.binary(32), size, [None, pa.py_buffer(b"".join(rows.leaves))]),
        pa.array(rows.sources, pa.int32()),
        pa.array(rows.positions, pa.int64()),
        _strings(rows.texts),
        pa.array(rows.updated, pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=schema(RESOURCE))


def _strings(texts: list[bytes]) -> Any:
    import numpy as np
    import pyarrow as pa

    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, texts), dtype=np.int32, count=len(texts)), out=offsets[1:])
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))


def quarantine_table(rows: list[dict[str, Any]]) -> Any:
    """The Arrow table of quarantined records."""
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schema(QUARANTINE))


def superseded_table(rows: list[dict[str, Any]]) -> Any:
    """The Arrow table of replaced versions."""
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schema(SUPERSEDED))


def writer(path: Path, table: Table) -> Any:
    """A Parquet writer with the settings of all landed files: small files, and the same bytes for the same rows."""
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        path,
        schema(table),
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=False,
        write_statistics=["key"] if "key" in table.column_names else False,
        store_schema=False,
    )


def write_table(table: Any, path: Path) -> None:
    """Write one table."""
    contract = next(one for one in (RESOURCE, QUARANTINE, SUPERSEDED) if one.column_names == tuple(table.column_names))
    with writer(path, contract) as file:
        file.write_table(table, row_group_size=ROW_GROUP)


def sync(path: Path) -> None:
    """Make a file durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
