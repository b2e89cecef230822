"""Real files: nothing is lost, nothing dangles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.unit.landing.conftest import NOON
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest, verify

pytestmark = pytest.mark.real

_DANGLING = """
SELECT count(*), count(*) FILTER (reference NOT IN (SELECT name FROM known)) FROM (
    SELECT unnest(regexp_extract_all(resource, '"reference":"([^"#]+)"', 1)) AS reference FROM resources
)
"""


def test_617_bundles_land_without_a_dangling_reference(landing: Landing, real_data: Callable[[str], Path]) -> None:
    archive = real_data("fhir-synthea-smart") / "bundles.zip"
    report = ingest(landing, archive, "mercy", Settings(landing.root.parent), NOON)
    assert (report.received, report.quarantined) == (191_093, 0)
    replaced = sum(map(len, landing.superseded().values()))
    assert report.duplicate + replaced == 1_982
    manifest = landing.batches("mercy")[0].manifest
    assert Counter(source["role"] for source in manifest["sources"]) == {"archive": 1, "member": 617}
    assert manifest["types"]["Patient"] == 615
    db = duckdb.connect()
    files = [str(file.path) for file in landing.files()]
    db.execute(
        "CREATE VIEW resources AS SELECT resource_id, resource,"
        " parse_filename(filename, true).regexp_replace('-[0-9]+$', '') AS type"
        " FROM read_parquet($files, filename = true)".replace("$files", str(files))
    )
    db.execute("CREATE TABLE known AS SELECT DISTINCT type || '/' || resource_id AS name FROM resources")
    references, dangling = db.execute(_DANGLING).fetchall()[0]
    assert references > 600_000 and dangling == 0
    assert verify(landing).resources == report.landed


def test_a_bulk_export_with_conditional_references_lands_whole(
    landing: Landing, real_data: Callable[[str], Path]
) -> None:
    folder = real_data("fhir-bulk-10")
    report = ingest(landing, folder, "mercy", Settings(landing.root.parent), NOON)
    assert (report.received, report.landed, report.quarantined) == (7_160, 7_160, 0)
    assert sum(file.conditional_references for file in landing.files()) == 10_037
    again = ingest(landing, folder, "mercy", Settings(landing.root.parent), NOON)
    assert (again.received, again.landed, again.duplicate) == (7_160, 0, 7_160)
