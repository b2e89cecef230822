"""Which version of a resource is current: the one that was changed last, unless it was deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.landing.conftest import condition, lines, patient
from tests.unit.sources.dicom.handmade import dicom_object
from xinglin.landing import IngestReport, Landing

Land = Callable[..., IngestReport]
MORNING, NOON, EVENING = (f"2024-05-01T{hour}:00:00Z" for hour in ("08", "12", "20"))
NOON_ELSEWHERE = "2024-05-01T20:00:00.000+08:00"


def version(weight: str, updated: str | None = None) -> dict[str, Any]:
    return condition(1, 1, note=[{"text": weight}], **({"meta": {"lastUpdated": updated}} if updated else {}))


def deletion(updated: str | None = None, kind: str = "history") -> bytes:
    entry: dict[str, Any] = {"request": {"method": "DELETE", "url": "Condition/c1"}}
    if updated:
        entry["response"] = {"status": "204", "lastModified": updated}
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": [entry]}).encode() + b"\n"


def current(landing: Landing, kind: str = "Condition") -> list[dict[str, Any]]:
    """The resources that nothing replaced."""
    gone = landing.superseded()
    return [
        json.loads(text)
        for one in landing.files(kind)
        for row, text in enumerate(pq.read_table(one.path)["resource"].to_pylist())
        if row not in gone.get((one.site, one.batch, one.name), ())
    ]


def notes(landing: Landing) -> list[str]:
    return [one["note"][0]["text"] for one in current(landing)]


@pytest.mark.parametrize("order", list(permutations([MORNING, NOON_ELSEWHERE, EVENING])))
def test_the_version_changed_last_is_current_whatever_the_order_in_one_file(
    land: Land, landing: Landing, order: tuple[str, ...]
) -> None:
    assert land(lines(*(version(one, one) for one in order))).landed == 3
    assert notes(landing) == [EVENING]


@pytest.mark.parametrize("many", [0, 12])
@pytest.mark.parametrize("order", list(permutations([MORNING, NOON_ELSEWHERE, EVENING])))
def test_the_version_changed_last_is_current_whatever_the_order_of_arrival(
    land: Land, landing: Landing, order: tuple[str, ...], many: int
) -> None:
    for number in range(many):
        land(lines(patient(number)), f"before-{number}.ndjson")
    for number, one in enumerate(order):
        land(lines(version(one, one)), f"{number}.ndjson")
    assert notes(landing) == [EVENING]


def test_without_a_moment_the_version_that_arrives_last_is_current(land: Land, landing: Landing) -> None:
    land(lines(version("first", EVENING)))
    land(lines(version("second")), "b.ndjson")
    land(lines(version("third", MORNING)), "c.ndjson")
    assert notes(landing) == ["third"]


def test_a_deleted_resource_is_not_current(land: Land, landing: Landing) -> None:
    land(lines(version("first"), condition(2, 1, note=[{"text": "other"}])))
    report = land(deletion(), "b.json")
    assert (report.received, report.landed) == (1, 1)
    assert notes(landing) == ["other"]


def test_a_line_of_a_bulk_exports_deleted_files_is_a_deletion(land: Land, landing: Landing) -> None:
    land(lines(version("first")))
    assert land(deletion(kind="transaction") * 2, "deleted.ndjson").received == 2
    assert notes(landing) == []


def test_a_deletion_that_comes_before_what_it_deletes_still_counts(land: Land, landing: Landing) -> None:
    land(deletion(NOON), "a.json")
    land(lines(version("old", MORNING)), "b.ndjson")
    assert notes(landing) == []
    land(lines(version("made again", EVENING)), "c.ndjson")
    assert notes(landing) == ["made again"]


def test_what_was_deleted_and_made_again_can_be_deleted_again(land: Land, landing: Landing) -> None:
    for number, (content, left) in enumerate(
        [(lines(version("a")), ["a"]), (deletion(), []), (lines(version("b")), ["b"]), (deletion() + b" ", [])]
    ):
        land(content, f"{number}.ndjson")
        assert notes(landing) == left


def test_a_history_with_a_deletion_in_the_middle_ends_with_its_newest_version(land: Land, landing: Landing) -> None:
    entries: list[dict[str, Any]] = [
        {"resource": version("again", EVENING), "request": {"method": "PUT", "url": "Condition/c1"}},
        {"request": {"method": "DELETE", "url": "Condition/c1"}, "response": {"lastModified": NOON}},
        {"resource": version("first", MORNING), "request": {"method": "POST", "url": "Condition"}},
    ]
    for one in entries[::2]:
        one["fullUrl"] = "https://a.example/fhir/Condition/c1"
    land(json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}).encode(), "a.json")
    assert notes(landing) == ["again"]


def image(patient: str = "77", series: str = "1.2.3", name: str = "Li^Na") -> bytes:
    """An object under the SOP Instance UID that all of them share."""
    return dicom_object({0x00100020: ("LO", patient), 0x0020000E: ("UI", series), 0x00100010: ("PN", name)})


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize(("other", "patients"), [({"patient": "78"}, 2), ({"series": "1.2.4"}, 1)])
def test_one_uid_of_two_objects_is_a_conflict_that_is_set_aside(
    land: Land,
    landing: Landing,
    quarantine: Callable[[], list[dict[str, Any]]],
    tmp_path: Path,
    batches: int,
    other: dict[str, str],
    patients: int,
) -> None:
    folders = [tmp_path / "images" / str(number) for number in range(2)]
    for folder, data in zip(folders, (image(), image(**other)), strict=True):
        folder.mkdir(parents=True)
        (folder / "a.dcm").write_bytes(data)
    report = [land(one) for one in ([tmp_path / "images"] if batches == 1 else folders)][-1]
    assert report.quarantined == 1
    assert [(row["reason"], row["position"]) for row in quarantine()] == [("uid-conflict", 1)]
    assert [one["subject"]["reference"] for one in current(landing, "ImagingStudy")] == ["Patient/77"]
    assert len(current(landing, "Patient")) == patients


def test_one_object_with_a_corrected_name_is_a_new_version(land: Land, landing: Landing) -> None:
    land(image(), "a.dcm")
    report = land(image(name="Li^Lan"), "b.dcm")
    assert (report.landed, report.quarantined) == (1, 0)
    assert len(current(landing, "ImagingStudy")) == 1
