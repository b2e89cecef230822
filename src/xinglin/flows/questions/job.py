"""A developer's job over the mart, from its file to its result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.admission.stores import Progress, Stores
    from xinglin.jobs import JobReport
    from xinglin.lake import Runner

__all__ = ["run_script"]


def run_script(
    stores: Stores, path: Path, told: Mapping[str, str], runner: Runner, progress: Progress | None = None
) -> JobReport:
    """Run a job's script over every person bucket of the mart.

    Args:
        stores: The region.
        path: The script.
        told: Parameters as written on the command line.
        runner: Where the maps happen.
        progress: Told of buckets done.

    Raises:
        UsageError: The script or a parameter is off.
        JobFailed: The script raised.
    """
    from xinglin.jobs import Job, run_job

    job = Job.read(path)
    steps = (lambda done, total: progress(job.name, done, total)) if progress else None
    return run_job(stores.lake, stores.settings, job, job.parameters(told), runner, steps)
