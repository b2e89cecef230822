"""A DICOMDIR tells of objects and is none."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.unit.sources.dicom.handmade import dicom_object, element, sequence
from xinglin.sources import Reading, Record, Splitter, discover, records


def directory(*named: str) -> bytes:
    listed = sequence(0x00041220, *({0x00041500: ("CS", name)} for name in named))
    meta = element(0x00020002, "UI", "1.2.840.10008.1.3.10") + element(0x00020010, "UI", "1.2.840.10008.1.2.1")
    return bytes(128) + b"DICM" + meta + element(listed[0], *listed[1])


def read_all(path: Path) -> tuple[Splitter, list[Record]]:
    splitter = Splitter(Reading())
    found = [
        record
        for one in discover(path, Reading())
        for part in splitter.parts(one)
        for record in records(part, Reading())
    ]
    return splitter, found


def test_it_is_listed_with_what_it_names_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "IMAGES").mkdir()
    (tmp_path / "IMAGES" / "IM1").write_bytes(dicom_object())
    (tmp_path / "DICOMDIR").write_bytes(directory("IMAGES\\IM1", "IMAGES\\IM2", "..\\secret"))

    splitter, found = read_all(tmp_path)

    entry = splitter.received[0]
    assert (entry.name, entry.role, entry.rewritten) == ("DICOMDIR", "description", False)
    assert entry.facts == {"dicomdir": {"referenced": 2, "missing": 1}}
    assert len(entry.sha256) == 64
    assert len(found) == 2


def test_a_broken_one_is_a_description_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(directory("A")[:-9])

    splitter, found = read_all(tmp_path)

    assert splitter.received[0].role == "description"
    assert found == []


def test_within_an_archive_it_is_no_record_and_its_objects_are(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cd.zip", "w") as archive:
        archive.writestr("DICOMDIR", directory("IM1"))
        archive.writestr("IM1", dicom_object())

    _, found = read_all(tmp_path)

    assert len(found) == 2
