"""The benchmark of the runner spark runs at toy size, on the cluster of the other tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench.toy import TOY, written


def test_the_runner_spark_is_measured_at_toy_size(
    application: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.pipeline.spark import compare

    monkeypatch.setenv("XINGLIN_BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XINGLIN_BENCH_RESULTS", str(tmp_path / "results"))

    compare(application, TOY // 10, times=1, start=0.0)

    figures = written(tmp_path / "results")
    assert figures["flat_rows"] > 0
    assert figures["mart_ratio"] > 0
