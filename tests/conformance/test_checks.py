"""What the quality checks find does not depend on where they ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xinglin.admission import Stores
from xinglin.flows.stages.run import check
from xinglin.lake import LocalRunner, Runner
from xinglin.mart.checks import sharing


@pytest.mark.parametrize("runner", ["processes", "spark-cluster"], indirect=True)
def test_a_generated_region_gets_the_same_report_in_many_parts(
    runner: Runner, built: Path, copied: Callable[[Path], Stores], monkeypatch: pytest.MonkeyPatch
):
    stores = copied(built)
    whole = _report(stores, LocalRunner(1))
    monkeypatch.setattr(sharing, "PART_ROWS", 1)
    assert _report(stores, runner) == whole
    assert whole["summary"]["passed"] > 500


def _report(stores: Stores, runner: Runner) -> dict[str, Any]:
    return {**check(stores, runner=runner).to_json(), "seconds": 0.0}
