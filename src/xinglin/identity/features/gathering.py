"""Features of landed files, made by tasks: some files are one task, and a large file is one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from xinglin.contracts.identity import PATIENT
from xinglin.identity.features.extract import LandedPatients, extract_features, read_landed
from xinglin.lake import Runner
from xinglin.lake.engine import connect, write_parquet
from xinglin.lake.files import table_relation

if TYPE_CHECKING:
    import duckdb

__all__ = ["FeatureTask", "feature_tasks", "gather_features", "make_features"]

TASK_BYTES = 16_000_000
"""Landed bytes of one task: enough that planning its SQL costs little beside running it."""


@dataclass(frozen=True)
class FeatureTask:
    """Some landed files.

    Args:
        files: Of Patients.
        folder: Where the features go; every machine sees it under this path.
        memory_mb: Memory of this task.
    """

    files: tuple[LandedPatients, ...]
    folder: Path
    memory_mb: int


def feature_tasks(landed: Sequence[LandedPatients], folder: Path, memory_mb: int) -> list[FeatureTask]:
    """Deal landed files out, in their order, until a task has `TASK_BYTES`.

    Args:
        landed: Files of Patients.
        folder: See `FeatureTask`.
        memory_mb: See `FeatureTask`.
    """
    groups: list[list[LandedPatients]] = []
    room = 0
    for file in landed:
        size = file.path.stat().st_size
        if size > room or not groups:
            groups.append([])
            room = TASK_BYTES
        groups[-1].append(file)
        room -= size
    return [FeatureTask(tuple(group), folder, memory_mb) for group in groups]


def make_features(task: FeatureTask) -> str:
    """Write the features of a task's files; gives the path.

    A folder is made for every attempt, so that a second one never meets the first's file.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix="features-", dir=task.folder))
    connection = connect(task.memory_mb, 1, folder / "spill")
    try:
        read_landed(connection, task.files)
        extract_features(connection, "features")
        path = folder / "features.parquet"
        write_parquet(connection, f"SELECT {', '.join(PATIENT.column_names)} FROM features", path)
    finally:
        connection.close()
    return str(path)


def gather_features(
    connection: duckdb.DuckDBPyConnection, runner: Runner, tasks: Sequence[FeatureTask], into: str
) -> int:
    """Make the table `into` (contract identity.PATIENT) from landed files, wherever the runner has it done.

    Returns:
        Number of patients.
    """
    paths = runner.map(make_features, tasks)
    source = table_relation(PATIENT, paths)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS FROM {source}").fetchall()
    return int(connection.execute(f"SELECT count(*) FROM {into}").fetchall()[0][0])
