from __future__ import annotations

import json
from pathlib import Path

from tools.compare_homes import data_files, differences, manifests


def home(folder: Path, content: bytes, time: str) -> Path:
    """A region with one batch of one file."""
    batch = folder / "landing" / "mercy" / "batch-000001"
    batch.mkdir(parents=True)
    (batch / "Patient-00000.parquet").write_bytes(content)
    (batch / "manifest.json").write_text(json.dumps({"time": time, "previous": None, "merkle_root": content.hex()}))
    return folder


def test_two_regions_of_the_same_bytes_differ_in_nothing_but_time(tmp_path: Path) -> None:
    one, two = home(tmp_path / "one", b"a", "2026-01-01"), home(tmp_path / "two", b"a", "2026-02-02")

    assert list(differences(data_files(one), data_files(two))) == []
    assert list(differences(manifests(one), manifests(two))) == []


def test_a_file_that_changed_or_is_missing_is_named(tmp_path: Path) -> None:
    one, two = home(tmp_path / "one", b"a", ""), home(tmp_path / "two", b"b", "")
    (two / "lake" / "mart").mkdir(parents=True)
    (two / "lake" / "mart" / "person.parquet").write_bytes(b"p")

    assert list(differences(data_files(one), data_files(two))) == [
        "only after: lake/mart/person.parquet",
        "differs: landing/mercy/batch-000001/Patient-00000.parquet",
    ]
    assert list(differences(manifests(one), manifests(two))) == ["differs: landing/mercy/batch-000001/manifest.json"]
