"""What another process does to a lake, while a test looks on: ``python -m tests.conformance.publishing ACTION …``."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from xinglin.contracts.model import Column, Table
from xinglin.core.errors import Conflict
from xinglin.lake import DataFile, Lake, Local, Snapshot, connect, write_parquet

LEFT, RIGHT = (
    Table(name, "pair", "pseudonymous", "one row", ("number",), (Column("number", "BIGINT", "Which publication"),))
    for name in ("left", "right")
)


def place(lake: Lake) -> str:
    """A lake as an argument of a command."""
    local = lake.local
    return json.dumps([str(lake.root), str(local.work), str(local.secrets or "")])


def placed(text: str) -> Lake:
    """The reverse of `place`."""
    root, work, secrets = json.loads(text)
    return Lake(root, Local(Path(work), Path(secrets) if secrets else None))


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


def series(lake: Lake, last: int) -> None:
    """Publish one number after the other."""
    for number in range(1, last + 1):
        publish(lake, number)


def race(lake: Lake, number: int) -> None:
    """Make everything ready, wait for a word, publish."""
    before = lake.snapshot("pair")
    try:
        with lake.scratch("pair") as folder:
            files = write(lake, folder, number)
            print("ready", flush=True)
            sys.stdin.readline()
            lake.publish("pair", files, {"number": number}, after=before)
    except Conflict as conflict:
        print(f"conflict: {conflict}", flush=True)
    else:
        print("won", flush=True)


def die(lake: Lake, number: int, moment: str) -> None:
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


if __name__ == "__main__":
    action, where, number, *rest = sys.argv[1:]
    {"series": series, "race": race, "die": die}[action](placed(where), int(number), *rest)
