"""Messages through the landing: versions, duplicates, what is only mentioned, the original."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.unit.sources.hl7v2.conftest import PID, PV1
from xinglin.core.clock import fixed_clock
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import IngestReport, Landing, ingest
from xinglin.sources import Reading

NOON = fixed_clock(datetime(2026, 1, 1, 12, tzinfo=UTC))
OBR = "OBR|1|P1|F1|24323-8^Panel^LN|||20240101|||||||||||||||||LAB|F"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    made = Landing(tmp_path / "landing", permit=OPEN)
    made.add_site("lab", "hospital", seed=bytes(32))
    return made


def message(kind: str, control_id: str, *segments: str) -> str:
    return "\r".join([f"MSH|^~\\&|APP|H|||20240102030405||{kind}|{control_id}|P|2.5", *segments, ""])


def land(landing: Landing, name: str, text: str, format: str = "auto") -> IngestReport:
    path = landing.root.parent / name
    path.write_bytes(text.encode())
    report = ingest(landing, path, "lab", Settings(path.parent, threads=1), NOON, reading=Reading(format))
    assert report.received == report.landed + report.duplicate + report.quarantined
    return report


def current(landing: Landing, kind: str) -> list[dict[str, object]]:
    """The current versions of a type."""
    old = landing.superseded()
    found = []
    for file in landing.files(kind):
        gone = old.get((file.site, file.batch, file.name), [])
        rows = pq.read_table(file.path, columns=["resource"])["resource"].to_pylist()
        found += [json.loads(text) for row, text in enumerate(rows) if row not in gone]
    return found


def test_messages_are_recognised_landed_and_kept_as_received(landing: Landing) -> None:
    result = message("ORU^R01", "1", PID, PV1, OBR, "OBX|1|NM|2345-7^Glucose^LN||5.50|mmol/L|||||F")
    report = land(landing, "in.txt.hl7", result + message("XXX^X01", "2", PID))
    assert (report.quarantined, report.duplicate) == (1, 0)
    (source,) = landing.batches("lab")[0].manifest["sources"]
    assert source["original"]
    assert len(current(landing, "MessageHeader")) == 1
    assert current(landing, "Observation")[0]["valueQuantity"]["value"] == 5.5  # type: ignore[index]


def test_a_statement_replaces_a_mention_and_a_later_mention_replaces_nothing(landing: Landing) -> None:
    thin = "PID|1||4711^^^KH^MR||Zhang^Wei"
    land(landing, "a.hl7", message("ORU^R01", "1", thin, OBR))
    assert "gender" in current(landing, "Patient")[0] and current(landing, "Patient")[0]["gender"] == "unknown"
    land(landing, "b.hl7", message("ADT^A08", "2", PID))
    land(landing, "c.hl7", message("ORU^R01", "3", thin, OBR))
    (patient,) = current(landing, "Patient")
    assert patient["gender"] == "female"


def test_the_same_messages_in_another_file_are_duplicates_and_a_correction_is_a_version(landing: Landing) -> None:
    first = message("ORU^R01", "1", PID, OBR, "OBX|1|NM|1^a^L||5|||||||F")
    land(landing, "a.hl7", first)
    again = land(landing, "b.hl7", "\x0b" + first + "\x1c\r")
    assert (again.landed, again.quarantined) == (0, 0)
    land(landing, "c.hl7", message("ORU^R01", "2", PID, OBR, "OBX|1|NM|1^a^L||6||||||C"))
    (result,) = current(landing, "Observation")
    assert (result["status"], result["valueQuantity"]) == ("corrected", {"value": 6})
    assert len(current(landing, "MessageHeader")) == 2
