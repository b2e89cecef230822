"""Batches: duplicates, versions, order, names, resumption."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.landing.conftest import NOON, condition, lines, patient
from xinglin.contracts.landing import RESOURCE
from xinglin.core.errors import Conflict, NotFound, UsageError
from xinglin.core.files import exclusive
from xinglin.core.ids import omop_key
from xinglin.core.merkle import leaf_hash
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest, verify
from xinglin.sources import Limits, Reading

Land = Callable[..., Any]


def test_a_row_carries_keys_leaf_source_and_position(land: Land, landing: Landing) -> None:
    land(lines(patient(1), condition(1, 1)) + b"\n" + lines(condition(2, 1)))
    (file,) = landing.files("Condition")
    table = pq.read_table(file.path)
    assert tuple(table.column_names) == RESOURCE.column_names
    row = table.to_pylist()[1]
    assert row["key"] == omop_key("mercy", "Condition", "c2")
    assert row["patient_key"] == omop_key("mercy", "Patient", "p1")
    assert row["leaf"] == leaf_hash(row["resource"].encode())
    assert (row["resource_id"], row["source"], row["position"]) == ("c2", 0, 4)
    assert [one.name for one in landing.files()] == ["Condition-00000.parquet", "Patient-00000.parquet"]


def test_the_same_file_twice_lands_once(land: Land, landing: Landing) -> None:
    land(lines(patient(1), patient(2)) + b"junk\n")
    again = land(lines(patient(1), patient(2)) + b"junk\n", "other-name.ndjson")
    assert (again.received, again.landed, again.duplicate, again.quarantined) == (3, 0, 3, 0)
    assert landing.batches("mercy")[1].manifest["sources"][0]["role"] == "repeated"
    assert landing.counts()["mercy"].received == 6


def test_the_same_resources_in_another_file_are_duplicates(land: Land) -> None:
    land(lines(patient(1), patient(2)))
    again = land(lines(patient(2), patient(3), patient(1)), "b.ndjson")
    assert (again.landed, again.duplicate) == (1, 2)


def test_a_corrected_resource_becomes_a_new_version_and_replaces_the_earlier_one(land: Land, landing: Landing) -> None:
    land(lines(patient(0), patient(1, gender="male")))
    land(lines(patient(1, gender="female")), "b.ndjson")
    land(lines(patient(1, gender="other")), "c.ndjson")
    assert landing.superseded() == {
        ("mercy", 1, "Patient-00000.parquet"): [1],
        ("mercy", 2, "Patient-00000.parquet"): [0],
    }


def test_an_old_version_sent_again_is_a_duplicate(land: Land, landing: Landing) -> None:
    land(lines(patient(1, gender="male")))
    land(lines(patient(1, gender="female")), "b.ndjson")
    assert land(lines(patient(1, gender="male")) + b"\n", "c.ndjson").duplicate == 1
    assert list(landing.superseded().values()) == [[0]]


def test_versions_within_one_batch_replace_each_other_in_order(land: Land, landing: Landing) -> None:
    report = land(
        lines(
            patient(9),
            patient(1, gender="male"),
            patient(9),
            patient(1, gender="male"),
            patient(1, gender="female"),
            patient(1, gender="other"),
        )
    )
    assert (report.landed, report.duplicate) == (4, 2)
    assert landing.superseded() == {("mercy", 1, "Patient-00000.parquet"): [1, 2]}
    texts = pq.read_table(landing.files()[0].path)["resource"].to_pylist()
    assert [json.loads(text).get("gender") for text in texts] == [None, "male", "female", "other"]
    verify(landing)


def test_two_sites_do_not_share_resources(land: Land, landing: Landing, tmp_path: Path) -> None:
    land(lines(patient(1)))
    landing.add_site("other", "clinic")
    report = ingest(landing, tmp_path / "in" / "a.ndjson", "other", clock=NOON)
    assert report.landed == 1
    assert [file.site for file in landing.files()] == ["mercy", "other"]


def test_small_stretches_of_mixed_types_give_one_file_per_type(land: Land, landing: Landing) -> None:
    mixed = [one for number in range(300) for one in (patient(number), condition(number, number))]
    land(lines(*mixed), limits=Limits(chunk_bytes=1_000))
    assert [(file.name, file.rows) for file in landing.files()] == [
        ("Condition-00000.parquet", 300),
        ("Patient-00000.parquet", 300),
    ]
    positions = pq.read_table(landing.files("Patient")[0].path)["position"].to_pylist()
    assert positions == list(range(1, 600, 2))


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xinglin.landing import receive

    monkeypatch.setattr(receive, "_SMALL", 0)
    source = tmp_path / "a.ndjson"
    source.write_bytes(lines(*(one for n in range(3_000) for one in (patient(n % 2_500), condition(n, n)))))
    digests = set()
    for workers in (1, 2, 3):
        landing = Landing(tmp_path / f"home{workers}" / "landing", permit=OPEN)
        landing.add_site("mercy", "hospital", seed=bytes(32))
        limits = Limits(chunk_bytes=50_000)
        ingest(
            landing,
            source,
            "mercy",
            Settings(tmp_path / "home", threads=workers),
            NOON,
            reading=Reading(limits=limits or Limits()),
        )
        (batch,) = landing.batches("mercy")
        assert batch.manifest["counts"] == {"received": 6_000, "landed": 5_500, "duplicate": 500, "quarantined": 0}
        digests.add((batch.digest, (batch.path / "manifest.sig").read_bytes()))
    assert len(digests) == 1


def test_the_log_and_the_readme_of_a_bulk_export_are_listed_and_not_landed(
    land: Land, landing: Landing, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "log.ndjson").write_bytes(b'{"exportId": "1", "eventId": "kickoff"}\n')
    (folder / "README.md").write_bytes(b"# About")
    (folder / "manifest.json").write_bytes(b'{"transactionTime":"2024-01-01T00:00:00Z","request":"x","output":[]}')
    (folder / "Patient.ndjson").write_bytes(lines(patient(1)))
    assert land(folder).received == 1
    roles = {one["name"]: one["role"] for one in landing.batches("mercy")[0].manifest["sources"]}
    assert roles == {
        "README.md": "description",
        "log.ndjson": "log",
        "manifest.json": "log",
        "Patient.ndjson": "resources",
    }


def test_nothing_received_makes_no_batch(land: Land, landing: Landing) -> None:
    assert land(b"\n\n").batch is None
    assert landing.batches("mercy") == []


def test_bundles_keep_their_original(land: Land, landing: Landing) -> None:
    from xinglin.landing.batch.originals import original_sha256

    land(json.dumps({"resourceType": "Bundle", "entry": [{"resource": patient(1)}]}).encode(), "b.json")
    (source,) = landing.batches("mercy")[0].manifest["sources"]
    assert original_sha256(landing.folder("mercy") / "originals" / source["original"]) == source["sha256"]


def test_what_a_killed_ingest_left_behind_is_swept(land: Land, landing: Landing) -> None:
    leftover = landing.folder("mercy") / ".batch-000001-99" / "work"
    leftover.mkdir(parents=True)
    (leftover / "piece").write_bytes(b"half")
    assert land(lines(patient(1))).batch == 1
    assert not leftover.parent.exists()


def test_two_ingests_of_one_site_do_not_run_at_once(land: Land, landing: Landing) -> None:
    with exclusive(landing.folder("mercy") / ".lock", doing="a test"), pytest.raises(Conflict):
        land(lines(patient(1)))


def test_sites_are_named_kept_and_protected(landing: Landing) -> None:
    assert landing.key_path("mercy").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        landing.add_site("mercy", "hospital")
    with pytest.raises(UsageError):
        landing.add_site("north", "castle")
    for name in ("../x", "", ".x", "a/b", "a" * 80):
        with pytest.raises(UsageError):
            landing.add_site(name, "clinic")
    with pytest.raises(NotFound):
        landing.site("nobody")
