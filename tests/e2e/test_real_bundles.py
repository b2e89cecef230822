from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from xinglin.core.permit import OPEN
from xinglin.landing import Landing

from .conftest import Xinglin

_DANGLING = """
SELECT count(*), count(*) FILTER (reference NOT IN (SELECT name FROM known)) FROM (
    SELECT unnest(regexp_extract_all(resource, '"reference":"([^"#]+)"', 1)) AS reference FROM resources
)
"""

pytestmark = [pytest.mark.e2e, pytest.mark.real]


@pytest.fixture(scope="module")
def mercy(tmp_path_factory, real_data) -> Xinglin:
    bundles = real_data("fhir-synthea-smart") / "bundles.zip"
    xinglin = Xinglin(tmp_path_factory.mktemp("mercy") / "home")
    xinglin("ingest", bundles, "--site", "mercy")
    xinglin("run")
    return xinglin


def ask(xinglin: Xinglin, question: str) -> list[dict]:
    return json.loads(xinglin("sql", question, "--format", "json"))


def test_615_patients_are_615_persons(mercy):
    assert ask(mercy, "select count(*) n from person") == [{"n": 615}]


def test_every_resource_is_landed_or_a_duplicate(mercy):
    (site,) = mercy.json("status", "--json")["sites"]
    assert site["received"] == 191_093
    assert site["quarantined"] == 0
    # 1,982 ids come again: word for word (duplicates), or with other words (new versions of what was landed before).
    (replaced,) = ask(mercy, "select sum(rows) as n from etl_count where outcome = 'superseded'")
    assert site["duplicate"] + replaced["n"] == 1_982
    assert site["received"] == site["landed"] + site["duplicate"] + site["quarantined"]


def test_617_bundles_land_without_a_dangling_reference(mercy):
    landing = Landing(mercy.home / "landing", permit=OPEN)
    manifest = landing.batches("mercy")[0].manifest
    assert Counter(source["role"] for source in manifest["sources"]) == {"archive": 1, "member": 617}
    assert manifest["types"]["Patient"] == 615
    db = duckdb.connect()
    db.execute(
        "CREATE VIEW resources AS SELECT resource_id, resource,"
        " parse_filename(filename, true).regexp_replace('-[0-9]+$', '') AS type"
        f" FROM read_parquet({[str(file.path) for file in landing.files()]}, filename = true)"
    )
    db.execute("CREATE TABLE known AS SELECT DISTINCT type || '/' || resource_id AS name FROM resources")
    references, dangling = db.execute(_DANGLING).fetchall()[0]
    assert references > 600_000
    assert dangling == 0


def test_the_39_stroke_conditions_are_found_again(mercy):
    question = "select count(*) n from condition_occurrence where condition_source_value = '230690007'"
    assert ask(mercy, question) == [{"n": 39}]


def test_every_landed_resource_is_accounted_for_in_the_mart(mercy):
    rows = ask(
        mercy,
        "select resource_type, sum(rows) filter (outcome = 'resources') as resources from etl_count group by 1",
    )
    landed = sum(row["resources"] or 0 for row in rows)
    (site,) = mercy.json("status", "--json")["sites"]
    assert landed == site["landed"]


def test_the_mart_passes_its_blocking_checks(mercy):
    report = mercy.json("mart", "check", "--json")
    assert report["summary"]["blocking"] == 0
    assert report["summary"]["passed"] > 200


def test_a_row_is_proved_down_to_its_signed_batch(mercy):
    (row,) = ask(mercy, "select measurement_id as id from measurement order by 1 limit 1")
    proof = mercy.json("verify", "--row", f"measurement:{row['id']}", "--json")
    assert proof["holds"] is True
    assert proof["resource_type"] == "Observation"


def test_verify_passes_and_one_flipped_byte_is_named(mercy, tmp_path):
    mercy("verify")
    shutil.copytree(mercy.home, tmp_path / "home")
    spoilt = next((tmp_path / "home" / "landing").rglob("Observation-*.parquet"))
    content = bytearray(spoilt.read_bytes())
    content[len(content) // 2] ^= 1
    spoilt.write_bytes(content)
    said = Xinglin(tmp_path / "home")("verify", code=1)
    assert spoilt.name in said
    assert "batch-000001" in said or "batch 1" in said


def test_the_same_file_again_changes_only_the_counts(mercy, tmp_path, real_data):
    shutil.copytree(mercy.home, tmp_path / "home")
    again = Xinglin(tmp_path / "home")
    again("ingest", real_data("fhir-synthea-smart") / "bundles.zip", "--site", "mercy")
    again("run")
    (site,) = again.json("status", "--json")["sites"]
    assert site["received"] == 2 * 191_093
    (before,) = mercy.json("status", "--json")["sites"]
    assert site["landed"] == before["landed"]
    assert site["duplicate"] == 191_093 + before["duplicate"]
    assert site["received"] == site["landed"] + site["duplicate"] + site["quarantined"]
    assert again.json("status", "--json")["tables"] == mercy.json("status", "--json")["tables"]


def test_a_bulk_export_with_conditional_references_lands_whole(tmp_path, real_data):
    bulk: Path = real_data("fhir-bulk-10")
    xinglin = Xinglin(tmp_path / "home")
    xinglin("ingest", bulk, "--site", "bulk")
    xinglin("run")
    (site,) = xinglin.json("status", "--json")["sites"]
    assert site["landed"] == 7_160
    assert ask(xinglin, "select count(*) n from person") == [{"n": 13}]
    resolved = "select count(*) as n from visit_occurrence v join provider p on p.provider_id = v.provider_id"
    assert ask(xinglin, resolved) == ask(xinglin, "select count(*) as n from visit_occurrence")
