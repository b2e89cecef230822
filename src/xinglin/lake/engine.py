"""DuckDB for tasks: bounded memory, no network, the same bytes for the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.errors import StorageError

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect", "write_parquet"]


def connect(memory_mb: int, threads: int, temp: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB of its own.

    Args:
        memory_mb: Limit in MB; past it DuckDB spills to `temp`, or fails when there is none.
        threads: Threads of this connection; 1 inside a task, so that results have one order.
        temp: Folder for spilling.

    Example:
        >>> connect(memory_mb=200, threads=1).execute("SELECT 42").fetchone()
        (42,)
    """
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(temp) if temp else "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        },
    )


def write_parquet(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write what a SELECT gives into one zstd Parquet file.

    Args:
        connection: From `connect`; with one thread, or a total ORDER BY, the bytes are the same every time.
        select: The SELECT.
        path: The file to write.

    Returns:
        Number of rows.

    Raises:
        StorageError: The disk is full.
    """
    import duckdb

    try:
        row = connection.execute(
            f"COPY ({select}) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)"
        ).fetchone()
    except duckdb.IOException as error:
        raise StorageError(
            "a table file could not be written",
            source=str(path.parent),
            remedy="free some room on the disk",
            retry=True,
        ) from error
    return int(row[0]) if row else 0
