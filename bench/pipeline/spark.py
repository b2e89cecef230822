"""The runner spark on a standalone cluster of two one-core workers beside the local runner with two threads.

First the same mart by both; then one flat table of Observations out of the same NDJSON: by DuckDB in tasks that
Spark schedules, and by Spark SQL with an explicit schema. Starting Spark is measured apart: the application, and a
first empty task on every executor. The cluster itself runs already.
"""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark import cloudpickle
from tests.cluster import EXECUTOR, running_cluster
from tests.opened import opened

from bench import material
from bench.measure import record
from bench.pipeline import flat
from xinglin.core.settings import Settings
from xinglin.flows.demo import gather
from xinglin.flows.stages.run import build, link
from xinglin.lake import LocalRunner, Runner
from xinglin.lake.application import spark_application
from xinglin.lake.spark import SparkRunner


def bench(resources: int, times: int) -> None:
    """Start a cluster and one application on it, and measure both ways."""
    logs = material.folder() / "cluster"
    shutil.rmtree(logs, ignore_errors=True)
    with running_cluster(logs, workers=2, masters=1) as cluster:
        begin = time.perf_counter()
        with spark_application(cluster.master, EXECUTOR) as context:
            SparkRunner(context).map(time.sleep, [0.5] * 4)
            compare(context, resources, times, time.perf_counter() - begin)


def compare(context: Any, resources: int, times: int, start: float) -> None:
    """Measure both ways in a running application.

    Args:
        context: The application's SparkContext.
        resources: Size of the region.
        times: Pairs of runs.
        start: Seconds that the start of the application took.
    """
    # The executors know Xinglin, not its benchmarks.
    cloudpickle.register_pickle_by_value(flat)
    region, spark = material.region(resources), SparkRunner(context)
    linked = _linked(region, resources)
    marts = [(_mart(linked, LocalRunner(2)), _mart(linked, spark)) for _ in range(times)]
    files = sorted(str(path) for path in region.glob("*/Observation*.ndjson") if path.stat().st_size)
    out = material.folder() / "flat"
    flats = [_flats(context, spark, files, out) for _ in range(times)]
    shutil.rmtree(out)
    record(
        f"pipeline/spark_{resources}",
        {
            "resources": material.count(region),
            "start_of_spark_seconds": round(start, 1),
            "mart_local_seconds": _figures([local for local, _ in marts]),
            "mart_spark_seconds": _figures([spark for _, spark in marts]),
            "mart_ratio": round(statistics.median(spark / local for local, spark in marts), 2),
            "flat_rows": flats[0]["rows"],
            "flat_ours_seconds": _figures([one["ours"] for one in flats]),
            "flat_spark_sql_seconds": _figures([one["spark_sql"] for one in flats]),
            "flat_ratio": round(statistics.median(one["ours"] / one["spark_sql"] for one in flats), 2),
        },
    )


def _linked(region: Path, resources: int) -> Path:
    """The region landed and linked, made once."""
    home = material.folder() / f"home-linked-{resources}"
    if not (home / "linked.json").exists():
        shutil.rmtree(home, ignore_errors=True)
        Settings(home=home, threads=2).save()
        stores = opened(home, create=True)
        gather(stores, region)
        link(stores)
        (home / "linked.json").write_text(json.dumps({"resources": resources}))
    return home


def _mart(home: Path, runner: Runner) -> float:
    """Seconds that a build from nothing takes."""
    shutil.rmtree(home / "lake" / "mart", ignore_errors=True)
    begin = time.perf_counter()
    report = build(opened(home), runner=runner)
    assert report.rows["person"] > 0
    return time.perf_counter() - begin


def _flats(context: Any, spark: SparkRunner, files: list[str], out: Path) -> dict[str, Any]:
    """Both ways once; the rows must be the same in number."""
    ours, rows = _timed(out, lambda: sum(spark.map(flat.by_duckdb, [(file, str(out)) for file in files])))
    theirs, others = _timed(out, lambda: flat.by_spark_sql(context, files, str(out)))
    assert rows == others > 0, (rows, others)
    return {"ours": ours, "spark_sql": theirs, "rows": rows}


def _timed(out: Path, work: Callable[[], int]) -> tuple[float, int]:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    begin = time.perf_counter()
    rows = work()
    return time.perf_counter() - begin, rows


def _figures(seconds: list[float]) -> list[float]:
    return [round(one, 2) for one in seconds]
