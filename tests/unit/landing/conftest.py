"""A landing with one site, and small inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import IngestReport, Landing, ingest
from xinglin.sources import Limits, Reading

NOON = fixed_clock(datetime(2026, 1, 1, 12, tzinfo=UTC))


def lines(*resources: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in resources)


def patient(number: int, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{number}", **more}


def condition(number: int, of: int, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": f"c{number}", "subject": {"reference": f"Patient/p{of}"}, **more}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    made = Landing(tmp_path / "home" / "landing", permit=OPEN)
    made.add_site("mercy", "hospital", seed=bytes(32))
    return made


@pytest.fixture
def land(landing: Landing, tmp_path: Path) -> Callable[..., IngestReport]:
    """Land a path, or bytes under a name, in this process; the account always balances."""

    def run(source: Path | bytes, name: str = "a.ndjson", limits: Limits | None = None) -> IngestReport:
        if isinstance(source, bytes):
            path = tmp_path / "in" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(source)
            source = path
        report = ingest(
            landing,
            source,
            "mercy",
            Settings(landing.root.parent, threads=1),
            NOON,
            reading=Reading(limits=limits or Limits()),
        )
        assert report.received == report.landed + report.duplicate + report.quarantined
        return report

    return run


@pytest.fixture
def quarantine(landing: Landing) -> Callable[[], list[dict[str, Any]]]:
    """The quarantined records of the newest batch."""
    import pyarrow.parquet as pq

    return lambda: pq.read_table(landing.batches("mercy")[-1].path / "quarantine.parquet").to_pylist()
