"""Who is on the image: numbers and their authorities, names in every writing."""

from __future__ import annotations

import re

import pytest

from tests.unit.sources.dicom.handmade import Elements, dicom_object, resources, sequence

NUMBER, ISSUER, NAME, CHARACTER_SET = 0x00100020, 0x00100021, 0x00100010, 0x00080005
HASHED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def patient(changes: Elements, without: tuple[int, ...] = ()) -> dict[str, object]:
    return resources(dicom_object(changes, without=without))[0]


@pytest.mark.parametrize(
    ("number", "issuer", "expected"),
    [
        ("P-17", "", "P-17"),
        ("P-17", "HIS", "HIS.P-17"),
        (" 0017 ", "", "0017"),
        ("17/4", "", None),
        ("17", "Mercy Hospital", None),
        ("病案17", "", None),
    ],
)
def test_the_id_is_the_number_where_it_can_be(number: str, issuer: str, expected: str | None) -> None:
    found = str(patient({NUMBER: ("LO", number), ISSUER: ("LO", issuer)})["id"])

    assert found == expected if expected else HASHED(found)


def test_hashed_ids_tell_numbers_and_authorities_apart() -> None:
    ids = {
        str(patient({NUMBER: ("LO", number), ISSUER: ("LO", issuer)})["id"])
        for number in ("1/2", "1/3")
        for issuer in ("", "A B", "A C")
    }

    assert len(ids) == 6


def test_without_a_number_the_study_names_its_patient() -> None:
    one, same = patient({}, without=(NUMBER,)), patient({0x00080018: ("UI", "1.9.9")}, without=(NUMBER,))
    other = patient({0x0020000D: ("UI", "1.2.3")}, without=(NUMBER,))

    assert one["id"] == same["id"] != other["id"]
    assert "identifier" not in one


def test_an_authority_is_the_system_of_its_numbers() -> None:
    qualifier = sequence(0x00100024, {0x00400032: ("UT", "1.2.156.9"), 0x00400033: ("CS", "ISO")})
    others = sequence(
        0x00101002,
        {NUMBER: ("LO", "110105194912310021")},
        {NUMBER: ("LO", "88"), ISSUER: ("LO", "1.2.156.5")},
        {NUMBER: ("LO", "P-17"), ISSUER: ("LO", "HIS")},
        {NUMBER: ("LO", "9"), ISSUER: ("LO", "Mercy & Co"), **dict([qualifier])},
        {NUMBER: ("LO", "10"), ISSUER: ("LO", "Mercy & Co")},
    )
    found = patient({ISSUER: ("LO", "HIS"), **dict([others]), 0x00101000: ("LO", "77\\88")})["identifier"]

    assert isinstance(found, list)
    assert [(one.get("system"), one["value"]) for one in found] == [
        ("urn:xinglin:authority:HIS", "P-17"),
        (None, "110105194912310021"),
        ("urn:oid:1.2.156.5", "88"),
        ("urn:oid:1.2.156.9", "9"),
        ("urn:xinglin:authority:Mercy%20%26%20Co", "10"),
        (None, "77"),
        (None, "88"),
    ]


@pytest.mark.parametrize(
    ("declared", "written", "expected"),
    [
        ("GB18030", "王^小东".encode("gb18030"), [{"family": "王", "given": ["小东"]}]),
        ("GBK", "张^芳乸".encode("gbk"), [{"family": "张", "given": ["芳乸"]}]),
        ("", "王^小东".encode("gb18030"), [{"family": "王", "given": ["小东"]}]),
        ("", "王^小东".encode(), [{"family": "王", "given": ["小东"]}]),
        ("", "Müller^Jörg".encode("latin-1"), [{"family": "Müller", "given": ["Jörg"]}]),
        ("ISO_IR 100", "Müller^Jörg".encode("latin-1"), [{"family": "Müller", "given": ["Jörg"]}]),
        ("GB18030", "王小东".encode("gb18030"), [{"text": "王小东"}]),
        ("ISO_IR 6", b"Adams^John^Quincy^Rev.^B.A. M.Div.", [
            {"family": "Adams", "given": ["John", "Quincy"], "prefix": ["Rev."], "suffix": ["B.A. M.Div."]}]),
        ("ISO_IR 6", b"^^^^", None),
        ("ISO_IR 6", b"", None),
    ],
)  # fmt: skip
def test_a_name_is_read_in_the_character_set_it_is_written_in(
    declared: str, written: bytes, expected: list[dict[str, object]] | None
) -> None:
    found = patient({CHARACTER_SET: ("CS", declared), NAME: ("PN", written)}).get("name")

    assert found == expected


def test_a_number_has_the_id_that_a_message_of_the_same_authority_gives_it() -> None:
    from xinglin.sources.hl7v2.rules.identity import own_id

    for number, issuer in (("47/11", "KH"), ("47/11", ""), ("4711", "KH"), ("病案17", "总院")):
        assert patient({NUMBER: ("LO", number), ISSUER: ("LO", issuer)})["id"] == own_id(number, issuer)
