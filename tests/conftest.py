"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parent.parent
_VALIDATORS = {"test_consortium", "test_ledger"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file share its fixtures, and so do those on clusters and stores: each group runs in one process.

    Four validators and their tests have the machine's ports to themselves. Blocks of the docs share nothing.
    """
    for item in items:
        groups = {"docs": item.nodeid, "conformance": "cluster"}
        group = groups.get(item.path.parent.name, "validators" if item.path.stem in _VALIDATORS else str(item.path))
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """On CI nothing is skipped: what could not be tested there has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{reason} (on CI nothing may be skipped)"
    return report


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The folder of one real data set, or a skip that says plainly what was not tested."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("XINGLIN_REAL_DATA") or REPO.parent / "shared" / "data")
        if not (root / name).is_dir():
            pytest.skip(f"not tested on real data: {root / name} is absent (XINGLIN_REAL_DATA names another place)")
        return root / name

    return find
