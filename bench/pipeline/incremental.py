"""A run after one per cent of new resources, beside a full run on everything."""

from __future__ import annotations

import shutil
import statistics

from bench import material
from bench.measure import median_seconds, python, record
from bench.pipeline.whole_way import whole


def bench(resources: int, times: int) -> None:
    region = material.region(resources)
    bulk, later = material.split(region, 0.01)
    base, home = material.folder() / "home-bulk", material.folder() / "home-later"
    full, more, ratios = [], [], []
    whole(base, bulk)
    for _ in range(times):
        full.append(whole(home, region))
        shutil.rmtree(home)
        shutil.copytree(base, home)
        more.append(python("bench.pipeline.way", home, later))
        ratios.append(more[-1].seconds / full[-1].seconds)
    for folder in (base, home):
        shutil.rmtree(folder)
    record(
        f"pipeline/incremental_{resources}",
        {
            "resources": material.count(bulk),
            "new_resources": material.count(later),
            "full_seconds": round(median_seconds(full), 2),
            "full_peak_mb": round(max(run.peak_mb for run in full)),
            "incremental_peak_mb": round(max(run.peak_mb for run in more)),
            "incremental_seconds": round(median_seconds(more), 2),
            "ratio_to_full": round(statistics.median(ratios), 3),
            "runs": [round(run.seconds, 2) for run in more],
        },
    )
