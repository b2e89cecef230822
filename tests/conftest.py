"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The folder of one real data set, or a skip that says plainly what was not tested."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("XINGLIN_REAL_DATA") or REPO.parent / "shared" / "data")
        if not (root / name).is_dir():
            pytest.skip(f"not tested on real data: {root / name} is absent (XINGLIN_REAL_DATA names another place)")
        return root / name

    return find
