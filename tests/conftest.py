"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

REPO = Path(__file__).resolve().parent.parent
_VALIDATORS = {"test_consortium", "test_ledger"}
_WAITING = {"test_door", "test_ledger", "test_note_reader"}
_LONGEST_FIRST = ["e2e", "bench", "docs"]


def group_of(nodeid: str) -> str:
    """Which tests must run in one process, where several share the work.

    Tests of a file share its fixtures. In conformance one process has the stores and the cluster, the other the rest,
    which mostly waits. Validators of several files follow each other. Blocks of the docs and benchmarks share nothing.
    """
    path = PurePosixPath(nodeid.split("::")[0])
    if path.parent.name in {"docs", "bench"}:
        return nodeid
    if "conformance" in path.parts:
        waits = path.stem in _WAITING or path.parent.name == "consortium"
        return "waiting" if waits else "stores and cluster"
    return "validators" if path.stem in _VALIDATORS and "e2e" in path.parts else str(path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give out whole groups: by marks, xdist groups nothing that pytest 9.2 collected."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no process waits for another's last group."""
    places = {folder: place for place, folder in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: min(places.get(part, len(places)) for part in item.path.parts))


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
