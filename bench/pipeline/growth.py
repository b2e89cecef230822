"""How time and memory grow: a hundredth, a tenth and the whole size, in one table and one plot."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bench import material
from bench.measure import median_seconds, record, results
from bench.pipeline.whole_way import whole


def bench(resources: int, times: int) -> None:
    home = material.folder() / "home-growth"
    rows = []
    for size in (resources // 100, resources // 10, resources):
        region = material.region(size)
        made = material.count(region)
        # The largest takes longest and varies least.
        runs = [whole(home, region) for _ in range(1 if size == resources else times)]
        rows.append(
            {
                "resources": made,
                "seconds": round(median_seconds(runs), 2),
                "microseconds_per_resource": round(median_seconds(runs) * 1e6 / made, 1),
                "peak_mb": round(max(run.peak_mb for run in runs)),
            }
        )
    shutil.rmtree(home)
    growth = rows[-1]["peak_mb"] / rows[-2]["peak_mb"] - 1
    record(f"pipeline/growth_{resources}", {"sizes": rows, "memory_growth_over_the_last_tenfold": round(growth, 3)})
    _plot(rows, results() / f"pipeline/growth_{resources}.png")


def _plot(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sizes = [row["resources"] for row in rows]
    figure, (time, memory) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axes, key, label in ((time, "seconds", "seconds"), (memory, "peak_mb", "peak memory, MB")):
        values = [row[key] for row in rows]
        axes.plot(sizes, values, "o-", color="#2a6f5e")
        for size, value in zip(sizes, values, strict=True):
            axes.annotate(f"{value:,.0f}", (size, value), textcoords="offset points", xytext=(0, 8), ha="center")
        axes.set(xscale="log", xlabel="resources", ylabel=label)
        axes.grid(alpha=0.3, which="both")
        axes.margins(0.12)
    time.set_yscale("log")
    memory.set_ylim(0, 1.15 * max(row["peak_mb"] for row in rows))
    figure.suptitle("Land, link and build the mart, from an empty region")
    figure.savefig(path, dpi=120)
    plt.close(figure)
