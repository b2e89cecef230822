"""A landing with one site that sends tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.landing import IngestReport, Landing, ingest
from xinglin.sources import Limits, Reading

NOON = fixed_clock(datetime(2026, 1, 1, 12, tzinfo=UTC))


class Clinic:
    """A site's landing, and what came of its tables."""

    def __init__(self, landing: Landing) -> None:
        self.landing = landing

    def land(self, path: Path, mapping: str, **limits: int) -> IngestReport:
        reading = Reading("tabular", mapping=mapping, limits=Limits(**limits))
        report = ingest(self.landing, path, "clinic", clock=NOON, reading=reading)
        assert report.received == report.landed + report.duplicate + report.quarantined
        return report

    def resources(self, resource_type: str | None = None) -> list[dict[str, Any]]:
        """The current resources, in the order of their files."""
        gone = self.landing.superseded()
        found = []
        for file in self.landing.files(resource_type):
            texts = pq.read_table(file.path, columns=["resource"])["resource"].to_pylist()
            dropped = set(gone.get((file.site, file.batch, file.name), []))
            found += [json.loads(text) for row, text in enumerate(texts) if row not in dropped]
        return found

    def texts(self) -> list[str]:
        return [
            text
            for file in self.landing.files()
            for text in pq.read_table(file.path, columns=["resource"])["resource"].to_pylist()
        ]

    def quarantine(self) -> list[tuple[int, str, str]]:
        """Position, reason and detail of what was set aside."""
        found = []
        for batch in self.landing.batches("clinic"):
            if (path := batch.path / "quarantine.parquet").exists():
                rows = pq.read_table(path).to_pylist()
                found += [(row["position"], row["reason"], row["detail"]) for row in rows]
        return sorted(found)

    def reasons(self) -> Counter[str]:
        return Counter(reason for _, reason, _ in self.quarantine())

    def sources(self) -> list[dict[str, Any]]:
        return [source for batch in self.landing.batches("clinic") for source in batch.manifest["sources"]]


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    landing = Landing(tmp_path / "home" / "landing", permit=OPEN)
    landing.add_site("clinic", "clinic", seed=bytes(32))
    return Clinic(landing)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a file into the inbox, and give the inbox."""

    def write(name: str, content: bytes | str) -> Path:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        (inbox / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return inbox

    return write
