"""A region to which small deliveries are made: landed, linked and built by the stages as they are."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from xinglin.admission import Stores
from xinglin.core.permit import OPEN
from xinglin.flows.stages.run import build, link
from xinglin.landing import IngestReport, ingest
from xinglin.sources import Reading

from ...opened import opened

Resource = dict[str, Any]


@dataclass
class Delivered:
    """A region and what is delivered to it.

    Args:
        stores: The region.
        folder: Where deliveries are put.
    """

    stores: Stores
    folder: Path

    def __post_init__(self) -> None:
        self._numbers = count()

    def land(self, files: dict[str, bytes | str], site: str = "mercy", mapping: str | None = None) -> IngestReport:
        """Land some files of a site; received = landed + duplicate + quarantined always holds."""
        folder = self.folder / str(next(self._numbers))
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        landing = self.stores.landing
        if site not in {one.name for one in landing.sites()}:
            landing.add_site(site, "hospital", seed=site.encode().ljust(32)[:32])
        report = ingest(landing, folder, site, self.stores.settings, reading=Reading(mapping=mapping))
        assert report.received == report.landed + report.duplicate + report.quarantined
        return report

    def reasons(self, site: str = "mercy") -> Counter[str]:
        """Why records of a site were set aside."""
        found: Counter[str] = Counter()
        for batch in self.stores.landing.batches(site):
            path = batch.path / "quarantine.parquet"
            if path.exists():
                found.update(pq.read_table(path)["reason"].to_pylist())
        return found

    def current(self, kind: str, site: str = "mercy") -> list[Resource]:
        """The resources of a site that nothing replaced."""
        gone = self.stores.landing.superseded(site)
        return [
            json.loads(text)
            for one in self.stores.landing.files(kind)
            if one.site == site
            for row, text in enumerate(pq.read_table(one.path)["resource"].to_pylist())
            if row not in gone.get((one.site, one.batch, one.name), ())
        ]

    def run(self) -> dict[str, int]:
        """Link and build; gives why resources became no row."""
        link(self.stores)
        return dict(build(self.stores).excluded)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Answer a SELECT over the mart."""
        snapshot = self.stores.lake.snapshot("mart")
        assert snapshot is not None
        with duckdb.connect() as connection:
            for name, files in snapshot.tables.items():
                if files:
                    paths = snapshot.files(name)
                    connection.execute(f"CREATE VIEW {name} AS FROM read_parquet({paths}, hive_partitioning = false)")
            return connection.execute(sql).fetchall()


@pytest.fixture
def delivered(tmp_path: Path) -> Delivered:
    """An empty region."""
    assert OPEN
    return Delivered(opened(tmp_path / "home", create=True), tmp_path / "in")
