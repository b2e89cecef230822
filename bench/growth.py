"""How time and memory grow: a tenth, a third, and the whole size, and ten times the whole where --resources says so."""

from __future__ import annotations

import shutil

from bench import material
from bench.measure import median_seconds, record
from bench.whole_way import whole


def bench(resources: int, times: int) -> None:
    home = material.folder() / "home-growth"
    rows = []
    for size in (resources // 10, resources // 3, resources):
        region = material.region(size)
        made = material.count(region)
        runs = [whole(home, region) for _ in range(max(1, times - 1))]
        rows.append(
            {
                "resources": made,
                "seconds": round(median_seconds(runs), 2),
                "microseconds_per_resource": round(median_seconds(runs) * 1e6 / made, 1),
                "peak_mb": round(max(run.peak_mb for run in runs)),
            }
        )
    shutil.rmtree(home)
    growth = rows[-1]["peak_mb"] / rows[0]["peak_mb"] - 1
    record(f"growth_{resources}", {"sizes": rows, "memory_growth_over_tenfold": round(growth, 3)})
