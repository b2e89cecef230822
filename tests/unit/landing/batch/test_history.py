"""The index over many small batches says the same as the batches themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.unit.landing.conftest import lines, patient
from xinglin.landing import IngestReport, Landing
from xinglin.landing.batch.history import _scanned, history

Land = Callable[..., IngestReport]


def land_many(land: Land, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        land(lines(*(patient(n, multipleBirthInteger=number) for n in (number, number // 2, 7))), f"{number}.ndjson")


def test_the_index_finds_what_a_scan_of_all_batches_finds(land: Land, landing: Landing) -> None:
    land_many(land, 20)
    batches = landing.batches("mercy")
    find = history(batches, {"Patient"}, landing.folder("mercy") / "index")
    wanted = np.sort(np.array([*_keys(landing), 12345]))
    assert find(wanted) == _scanned(wanted, {"Patient"}, batches)
    assert 0 < len(list((landing.folder("mercy") / "index").iterdir())) < 8


def test_a_lost_or_foreign_index_is_made_again(land: Land, landing: Landing) -> None:
    land_many(land, 12)
    index = landing.folder("mercy") / "index"
    before = {path.name: path.read_bytes() for path in index.iterdir()}
    for path in index.iterdir():
        path.rename(path.with_name(path.name[:-16] + "0" * 16))
    report = land(lines(patient(3, multipleBirthInteger=3)), "again.ndjson")
    assert report.duplicate == 1
    assert not [path for path in index.iterdir() if path.name.endswith("0" * 16)]
    assert {path.name for path in index.iterdir()} != set(before)


def test_many_batches_keep_the_number_of_versions_right(land: Land, landing: Landing) -> None:
    land_many(land, 16)
    superseded = landing.superseded()
    replaced = sum(len(rows) for rows in superseded.values())
    landed = sum(file.rows for file in landing.files("Patient"))
    assert landed - replaced == 16
    current = json.loads(json.dumps([patient(7, multipleBirthInteger=15)]))
    assert land(lines(*current), "last.ndjson").duplicate == 1


def _keys(landing: Landing) -> list[int]:
    import pyarrow.parquet as pq

    found = {key for file in landing.files() for key in pq.read_table(Path(file.path))["key"].to_pylist()}
    return sorted(found)
