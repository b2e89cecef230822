"""What a mapping changes is read again; what is only mentioned replaces nothing."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.unit.landing.conftest import NOON
from xinglin.core.settings import Settings
from xinglin.landing import IngestReport, Landing, ingest
from xinglin.sources import Reading

EAST = "settings: {zone: '+08:00'}\n"
MSH = "MSH|^~\\&|LAB|A|HIS|B|{at}||{kind}|{control}|P|2.5.1\rPID|1||7^^^^PI||{name}^Na\r"
RESULT = "OBR|1|P{0}|F{0}|1^Panel^L\rOBX|1|NM|2^Glucose^L||5.1|mmol/L|||||F\r"


def message(kind: str, control: int, name: str = "Li") -> str:
    head = MSH.format(at=f"2024010{control}", kind=kind, control=control, name=name)
    return head + (RESULT.format(control) if kind.startswith("ORU") else "PV1|1|O\r")


def land(landing: Landing, path: Path, mapping: str | None = None) -> IngestReport:
    reading = Reading("hl7v2", mapping)
    return ingest(landing, path, "mercy", Settings(landing.root.parent, threads=1), NOON, reading=reading)


def names(landing: Landing) -> list[str]:
    """Family names of the current Patients."""
    import pyarrow.parquet as pq

    gone = landing.superseded()
    return [
        json.loads(text)["name"][0]["family"]
        for file in landing.files("Patient")
        for row, text in enumerate(pq.read_table(file.path)["resource"].to_pylist())
        if row not in gone.get((file.site, file.batch, file.name), ())
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_again_by_another_mapping_and_not_by_the_same(
    landing: Landing, tmp_path: Path, packed: bool
) -> None:
    path = tmp_path / "a.hl7"
    path.write_text(message("ADT^A04", 1))
    if packed:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.write(path, "a.hl7")
        path = tmp_path / "a.zip"
    first = land(landing, path)
    assert land(landing, path).landed == 0
    changed = land(landing, path, EAST)
    assert changed.landed > 0
    assert changed.received == first.received
    assert land(landing, path, EAST).landed == 0


def test_a_mention_after_a_statement_is_a_duplicate_and_a_statement_after_a_mention_replaces_it(
    landing: Landing, tmp_path: Path
) -> None:
    said: list[list[str]] = []
    for number, (kind, name) in enumerate([("ORU^R01", "Heard"), ("ADT^A04", "Said"), ("ORU^R01", "Heard")], 1):
        path = tmp_path / f"{number}.hl7"
        path.write_text(message(kind, number, name))
        land(landing, path)
        said.append(names(landing))
    assert said == [["Heard"], ["Said"], ["Said"]]


def test_within_one_file_mentions_count_as_duplicates_in_either_order(landing: Landing, tmp_path: Path) -> None:
    path = tmp_path / "all.hl7"
    kinds = [("ORU^R01", "Heard"), ("ORU^R01", "Heard"), ("ADT^A04", "Said"), ("ORU^R01", "Heard")]
    path.write_text("".join(message(kind, number, name) for number, (kind, name) in enumerate(kinds, 1)))
    report = land(landing, path)
    assert names(landing) == ["Said"]
    assert report.quarantined == 0
    assert report.duplicate >= 2
    assert report.received == report.landed + report.duplicate
