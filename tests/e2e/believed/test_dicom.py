"""DICOM: an escape sequence is no letter, and one UID names one object."""

from __future__ import annotations

import pytest

from tests.unit.sources.dicom.handmade import Elements, dicom_object

from .conftest import Delivered

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("declared", "escape", "encoding", "family", "given"),
    [
        ("\\ISO 2022 IR 58", b"\x1b$)A", "gb2312", "李", "明"),
        ("\\ISO 2022 IR 149", b"\x1b$)C", "euc_kr", "김", "희"),
    ],
)
@pytest.mark.parametrize("again", [True, False])
def test_an_escape_sequence_of_a_name_is_no_character(
    delivered: Delivered, declared: str, escape: bytes, encoding: str, family: str, given: str, again: bool
) -> None:
    repeated = escape if again else b""
    written = b"Li^Ming=" + escape + family.encode(encoding) + b"^" + repeated + given.encode(encoding) + b"="
    changes: Elements = {0x00080005: ("CS", declared), 0x00100010: ("PN", written)}
    delivered.land({"a.dcm": dicom_object(changes)})
    han, latin = delivered.current("Patient")[0]["name"]
    assert (han["family"], han["given"]) == (family, [given])
    assert (latin["family"], latin["given"]) == ("Li", ["Ming"])


def test_one_uid_of_two_patients_is_kept_and_reported(delivered: Delivered) -> None:
    other: Elements = {0x00100020: ("LO", "P-18"), 0x00100010: ("PN", "Corvin^Dag"), 0x00100030: ("DA", "19880930")}
    delivered.land({"a.dcm": dicom_object(), "b.dcm": dicom_object(other)})
    assert delivered.reasons() == {"uid-conflict": 1}
    delivered.run()
    assert delivered.ask("SELECT year_of_birth FROM image_occurrence JOIN person USING (person_id)") == [(1950,)]
