"""Land, link and build beside bare DuckDB reading the same files with an explicit schema and writing Parquet."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import material
from bench.measure import Run, median_seconds, paired, python, record
from bench.pipeline.bare import schemas


def bench(resources: int, times: int) -> None:
    region = material.region(resources)
    home = material.folder() / "home-whole"
    made = material.count(region)
    schemas(region)
    ours, bare, ratio = paired(lambda: whole(home, region), lambda: python("bench.pipeline.bare", region), times)
    shutil.rmtree(home)
    seconds = median_seconds(ours)
    record(
        f"pipeline/whole_way_{resources}",
        {
            "resources": made,
            "megabytes": round(sum(file.stat().st_size for file in region.glob("*/*.ndjson")) / 1e6),
            "seconds": round(seconds, 1),
            "resources_per_second": round(made / seconds),
            "peak_mb": round(max(run.peak_mb for run in ours)),
            "bare_duckdb_seconds": round(median_seconds(bare), 1),
            "bare_duckdb_peak_mb": round(max(run.peak_mb for run in bare)),
            "ratio_to_bare_duckdb": round(ratio, 2),
            "runs": [round(run.seconds, 2) for run in ours],
            "bare_runs": [round(run.seconds, 2) for run in bare],
        },
    )


def whole(home: Path, region: Path) -> Run:
    """The whole way from an empty region."""
    shutil.rmtree(home, ignore_errors=True)
    return python("bench.pipeline.way", home, region)
