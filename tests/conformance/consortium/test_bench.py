"""The benchmark of four validators runs at toy size."""

from __future__ import annotations

from pathlib import Path

from tests.bench.toy import run_toy
from tests.consortium import need_consortium


def test_the_ledger_between_institutions_is_measured_at_toy_size(tmp_path: Path) -> None:
    need_consortium()

    figures = run_toy("consortium", tmp_path / "data", tmp_path / "results")

    assert figures["transactions"] >= 400
    assert figures["ratio"] > 0
