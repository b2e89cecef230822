"""Real files: nothing is lost, nothing dangles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.landing.conftest import NOON
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest

pytestmark = pytest.mark.real


def test_a_bulk_export_with_conditional_references_lands_whole(
    landing: Landing, real_data: Callable[[str], Path]
) -> None:
    folder = real_data("fhir-bulk-10")
    report = ingest(landing, folder, "mercy", Settings(landing.root.parent), NOON)
    assert (report.received, report.landed, report.quarantined) == (7_160, 7_160, 0)
    assert sum(file.conditional_references for file in landing.files()) == 10_037
    again = ingest(landing, folder, "mercy", Settings(landing.root.parent), NOON)
    assert (again.received, again.landed, again.duplicate) == (7_160, 0, 7_160)
