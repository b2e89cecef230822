from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledgers import Chain


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """One hospital's machine, ready for its first block."""
    return Chain(tmp_path)


@pytest.fixture
def consortium(tmp_path: Path) -> Chain:
    """Four institutions of equal power."""
    return Chain(tmp_path, clinic=10, hospital=10, lab=10, region=10)
