"""How long a generated region takes."""

from __future__ import annotations

import shutil
import statistics
import sys

from bench import material
from bench.measure import record, run


def bench(resources: int, times: int) -> None:
    out = material.folder() / "region-timed"
    runs, made = [], 0
    for _ in range(times):
        shutil.rmtree(out, ignore_errors=True)
        persons = str(resources // material.RESOURCES_PER_PERSON)
        command = [sys.executable, "-m", "xinglin", "region", "generate", str(out), "--persons", persons]
        runs.append(run(command))
        made = material.count(out)
    shutil.rmtree(out)
    seconds = statistics.median(one.seconds for one in runs)
    record(
        "pipeline/region",
        {
            "resources": made,
            "seconds": round(seconds, 1),
            "seconds_per_million": round(seconds * 1e6 / made, 1),
            "peak_mb": round(max(one.peak_mb for one in runs)),
        },
    )
