"""Run a job: a task per person bucket, finished ones kept, then the combination."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.core.files import exclusive, write_atomic
from xinglin.core.progress import Steps
from xinglin.jobs.job import Job
from xinglin.jobs.tables import bucket_tables, partial_tables
from xinglin.lake import Lake, Runner, Snapshot
from xinglin.lake.without import needed

if TYPE_CHECKING:
    import pyarrow as pa

    from xinglin.core.settings import Settings

__all__ = ["JobReport", "run_job"]

_CONTRACTS = {**TABLES, **VOCABULARY_TABLES}


@dataclass(frozen=True)
class JobReport:
    """What one run of a job did.

    Args:
        result: What combine gave.
        buckets: Person buckets there are.
        mapped: Those mapped this time; the others were kept from a run before.
        seconds: How long it took.
    """

    result: pa.Table
    buckets: int
    mapped: int
    seconds: float


@dataclass(frozen=True)
class _MapTask:
    """One bucket's share of a job: everything its outcome depends on, and the name that is made from it.

    Whom the permit leaves out changes the outcome as well as the files do.
    """

    job: Job
    params: str
    bucket: int
    files: tuple[tuple[str, tuple[str, ...]], ...]
    lake: Lake
    memory_mb: int

    @property
    def fingerprint(self) -> str:
        # The files' names are their contents.
        parts: tuple[object, ...] = (self.job.digest, self.params, self.bucket, self.files)
        if self.lake.permit.without:
            parts += (sorted(self.lake.permit.without),)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def run_job(
    lake: Lake,
    settings: Settings,
    job: Job,
    params: Mapping[str, Any],
    runner: Runner,
    progress: Steps | None = None,
) -> JobReport:
    """Map every bucket of the mart that was published last, and combine.

    What a bucket gave is kept, under a name made of the script, the parameters and the bucket's files, until another
    run of the job ends; so a run that was killed goes on where it was, and after new data only what changed is mapped.

    Args:
        lake: Where the mart lies.
        settings: Buckets, memory, and the folder of partial results.
        job: The script.
        params: From `Job.parameters`.
        runner: Where the maps happen.
        progress: Told how many of how many buckets are done.

    Raises:
        NotFound: No mart was built yet.
        JobFailed: The script raised.
        Conflict: The same job is being run by another process.
    """
    begun = time.perf_counter()
    mart = lake.require("mart", "run: xinglin run")
    tasks = _tasks(lake, settings, job, params, mart)
    folder = settings.home / "jobs" / Path(job.name).stem
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / "_lock", doing=f"the job {job.name}"):
        todo = [task for task in tasks if not _kept(folder, task.fingerprint).exists()]
        _map(runner, todo, folder, len(tasks), progress)
        files = [str(_kept(folder, task.fingerprint)) for task in tasks]
        with partial_tables(files, settings.memory_mb) as partials:
            result = job.run("combine", partials, params, "combine")
        _sweep(folder, {Path(file).name for file in files})
    return JobReport(result, len(tasks), len(todo), time.perf_counter() - begun)


def _tasks(lake: Lake, settings: Settings, job: Job, params: Mapping[str, Any], mart: Snapshot) -> list[_MapTask]:
    vocabulary = lake.snapshot("vocabulary")
    text = json.dumps(params, sort_keys=True, default=str)
    tasks = []
    more = set(needed(job.tables, TABLES)) - set(job.tables) if lake.permit.without else set()
    for bucket in range(settings.buckets):
        files = []
        for name in [*job.tables, *sorted(more)]:
            snapshot = mart if name in TABLES else vocabulary
            some = snapshot.tables.get(name, []) if snapshot else []
            files.append((name, tuple(sorted(file.path for file in some if file.bucket in {None, bucket}))))
        tasks.append(_MapTask(job, text, bucket, tuple(files), lake, settings.memory_mb))
    return tasks


def _map(
    runner: Runner,
    todo: list[_MapTask],
    folder: Path,
    total: int,
    progress: Steps | None,
) -> None:
    done = total - len(todo)

    def keep(partial: tuple[str, bytes]) -> None:
        nonlocal done
        write_atomic(_kept(folder, partial[0]), partial[1])
        done += 1
        if progress:
            progress(done, total)

    runner.map(_map_bucket, todo, keep)


def _map_bucket(task: _MapTask) -> tuple[str, bytes]:
    """What the script's map gives for one bucket, as the bytes of a Parquet file."""
    import pyarrow.parquet as parquet

    contracts = {name: _CONTRACTS[name] for name in task.job.tables}
    files = {name: task.lake.paths(_CONTRACTS[name], paths) for name, paths in task.files}
    with bucket_tables(contracts, files, task.bucket, task.memory_mb, task.lake.permit.without) as tables:
        given = task.job.run("map", tables, json.loads(task.params), f"map, bucket {task.bucket}")
    target = io.BytesIO()
    parquet.write_table(given, target, compression="zstd")
    return task.fingerprint, target.getvalue()


def _kept(folder: Path, fingerprint: str) -> Path:
    return folder / f"{fingerprint}.parquet"


def _sweep(folder: Path, keep: set[str]) -> None:
    """Delete what runs with other parameters or earlier data left."""
    for path in folder.glob("*.parquet"):
        if path.name not in keep:
            path.unlink()
