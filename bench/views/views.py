"""Views over landed Observations beside SQL written by hand and beside a row-by-row implementation in Python."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import venv
from pathlib import Path

from bench import material
from bench.measure import Run, median_seconds, offline, paired, python, record

VIEWS = Path(__file__).parent / "definitions"
ROW_BY_ROW = "sqlonfhir==0.0.2"
_SLOW = 5_000


def bench(resources: int, times: int) -> None:
    # About half of a region's resources are Observations.
    region = material.region(2 * resources)
    home = material.folder() / f"home-views-{resources}"
    if not (home / "landed").exists():
        shutil.rmtree(home, ignore_errors=True)
        for site in material.sites(region):
            python("xinglin", "ingest", region / site["folder"], "--site", site["name"], "--home", home)
        (home / "landed").touch()
    figures = {name: _one(home, region, name, times) for name in ("flat", "nested")}
    record(f"views/views_{resources}", {"observations": _observations(home), "against": ROW_BY_ROW, **figures})


def _one(home: Path, region: Path, name: str, times: int) -> dict[str, float]:
    view, outs = VIEWS / f"{name}.json", (home / "ours.parquet", home / "hand.parquet")

    def ours() -> Run:
        where = ("--lake", "--home", home, "--format", "parquet", "--out", outs[0])
        return python("xinglin", "view", "run", view, *where)

    compiled, hand, ratio = paired(ours, lambda: python("bench.views.hand", home, name, outs[1]), times)
    _same(*outs)
    per_second = _observations(home) / median_seconds(compiled)
    figures = {
        "seconds": round(median_seconds(compiled), 2),
        "by_hand_seconds": round(median_seconds(hand), 2),
        "ratio_to_by_hand": round(ratio, 2),
        "resources_per_second": round(per_second),
        "peak_mb": round(max(run.peak_mb for run in compiled)),
    }
    if not offline():
        slow = _row_by_row(region, view)
        figures |= {"row_by_row_resources_per_second": round(slow), "times_row_by_row": round(per_second / slow, 1)}
    return figures


def _same(ours: Path, hand: Path) -> None:
    import duckdb

    different = duckdb.execute(
        f"(FROM '{ours}' EXCEPT ALL FROM '{hand}') UNION ALL (FROM '{hand}' EXCEPT ALL FROM '{ours}')"
    )
    assert not different.fetchmany(1), "the two ways give different rows"


def _row_by_row(region: Path, view: Path) -> float:
    """Resources a second of the other implementation, on its first few thousand, one process a core."""
    environment = material.folder() / "row-by-row"
    interpreter = environment / "bin" / "python"
    if not interpreter.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([interpreter, "-m", "pip", "install", "-q", ROW_BY_ROW], check=True)
    path = max(region.glob("*/Observation*.ndjson"), key=lambda file: file.stat().st_size)
    command = [interpreter, Path(__file__).parent / "rows.py", path, view, str(_SLOW)]
    cores = len(os.sched_getaffinity(0))
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(cores)]
    outputs = [json.loads(process.communicate()[0]) for process in running]
    return statistics.fmean(one["resources"] / one["seconds"] for one in outputs) * cores


def _observations(home: Path) -> int:
    import duckdb

    row = duckdb.execute(f"SELECT count(*) FROM '{home}/landing/*/batch-*/Observation-*.parquet'").fetchone()
    return int(row[0]) if row else 0
