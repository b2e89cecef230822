"""Fixtures of identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.identity.handmade import Region


@pytest.fixture
def region(tmp_path: Path) -> Region:
    """An empty region."""
    return Region(tmp_path / "home")
