"""What another process does to a lake, while a test looks on.

Processes come from a server that has loaded the libraries once, so that each of them starts in milliseconds.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

from xinglin.contracts.model import Column, Table
from xinglin.core.errors import Conflict
from xinglin.lake import DataFile, Lake, Snapshot, connect, write_parquet

LEFT, RIGHT = (
    Table(name, "pair", "pseudonymous", "one row", ("number",), (Column("number", "BIGINT", "Which publication"),))
    for name in ("left", "right")
)


def another(action: Callable[..., None], lake: Lake, *rest: Any) -> tuple[BaseProcess, Connection]:
    """Begin something in another process.

    Returns:
        The process and a line to it.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "duckdb", "pyarrow.parquet", "deltalake", "obstore", "hdfs_native"])
    here, there = context.Pipe()
    process = context.Process(target=action, args=(lake, there, *rest))
    process.start()
    # Only the other process holds its end now, so that the line breaks when it dies.
    there.close()
    return process, here


def write(lake: Lake, folder: Path, number: int) -> dict[Table, list[DataFile]]:
    """One row in each of two tables, the same in both."""
    connection = connect(memory_mb=200, threads=1)
    files = {}
    for table in (LEFT, RIGHT):
        path = folder / f"{table.name}.parquet"
        write_parquet(connection, f"SELECT {number}::BIGINT AS number", path)
        files[table] = [lake.adopt(table, path)]
    return files


def publish(lake: Lake, number: int) -> Snapshot:
    """Publish the number in both tables."""
    before = lake.snapshot("pair")
    with lake.scratch("pair") as folder:
        return lake.publish("pair", write(lake, folder, number), {"number": number}, after=before)


def series(lake: Lake, line: Connection, last: int) -> None:
    """Publish one number after the other."""
    for number in range(1, last + 1):
        publish(lake, number)


def race(lake: Lake, line: Connection, number: int) -> None:
    """Make everything ready, wait for a word, publish."""
    before = lake.snapshot("pair")
    try:
        with lake.scratch("pair") as folder:
            files = write(lake, folder, number)
            line.send("ready")
            line.recv()
            lake.publish("pair", files, {"number": number}, after=before)
    except Conflict as conflict:
        line.send(f"conflict: {conflict}")
    else:
        line.send("won")


def die(lake: Lake, line: Connection, number: int, moment: str) -> None:
    """Publish, and be killed by ``kill -9`` at this moment of it."""
    from xinglin.lake import delta, tables

    before = lake.snapshot("pair")
    with lake.scratch("pair") as folder:
        files = write(lake, folder, number)
        if moment == "pointer half written":
            _die_in_the_last_step(lake)
        elif moment == "pointer written":
            tables.show_in_delta = _kill  # type: ignore[assignment]
        elif moment == "one Delta table of two written":
            commit, seen = delta.commit_files, set[str]()

            def second(where: Any, table: Table, *rest: Any) -> None:
                seen.add(table.name)
                if len(seen) == 2:
                    _kill()
                commit(where, table, *rest)

            delta._AT_ONCE = 1
            delta.commit_files = second
        else:
            tables._unnamed = _kill  # type: ignore[assignment]
        lake.publish("pair", files, {"number": number}, after=before)


def _die_in_the_last_step(lake: Lake) -> None:
    """Let the storage prepare its pointer, but not finish it."""
    if str(lake.root).startswith("hdfs:"):
        import hdfs_native

        hdfs_native.Client.rename = _kill  # type: ignore[method-assign]
    elif str(lake.root).startswith("s3:"):
        import obstore

        obstore.put = _kill  # type: ignore[assignment]
    else:
        os.replace = _kill  # type: ignore[assignment]


def _kill(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit
