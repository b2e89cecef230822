"""Every benchmark runs at toy size, so that a change that breaks one is noticed at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench.__main__ import BENCHMARKS

from .toy import run_toy

IN_CONFORMANCE = {"spark", "consortium"}
"""Benchmarks that need a Spark cluster or validators; tests/conformance runs them."""


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of generated input, shared by the benchmarks of one process."""
    return tmp_path_factory.getbasetemp() / "bench-data"


@pytest.mark.parametrize("name", sorted(set(BENCHMARKS) - IN_CONFORMANCE - {"dicom"}))
def test_a_benchmark_runs_at_toy_size(name: str, data: Path, tmp_path: Path) -> None:
    figures = run_toy(name, data, tmp_path)

    assert figures["benchmark"].startswith(name)
    assert figures["on"]["cores"] > 0


def test_landing_real_images_is_measured_at_toy_size(
    data: Path, tmp_path: Path, real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINGLIN_REAL_DATA", str(real_data("dicom-ibsi").parent))

    assert run_toy("dicom", data, tmp_path)["objects"] > 0


def test_the_benchmarks_left_to_conformance_exist() -> None:
    assert set(BENCHMARKS) > IN_CONFORMANCE
