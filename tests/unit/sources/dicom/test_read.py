"""One object is a mentioned patient and a fragment of a study, however it is written; or one record with a reason."""

from __future__ import annotations

import hashlib
import logging
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.sources.dicom.handmade import (
    BASIC,
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    INSTANCE,
    SERIES,
    STUDY,
    dicom_object,
    element,
    read,
    refused,
    resources,
    sequence,
)
from xinglin.sources import Limits, Reading, Rejected
from xinglin.sources.dicom import recognises

SECRET = "Zhuge^Secret"


def test_an_object_gives_a_mentioned_patient_and_a_fragment_of_its_study() -> None:
    data = dicom_object()
    patient, study = resources(data)

    assert patient == {
        "resourceType": "Patient",
        "id": "P-17",
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                "system": "urn:xinglin:patient-number",
                "value": "P-17",
            }
        ],
        "name": [
            {"extension": _written("IDE"), "family": "王", "given": ["小东"]},
            {"extension": _written("ABC"), "family": "Wang", "given": ["XiaoDong"]},
        ],
        "gender": "male",
        "birthDate": "1950-02-03",
    }
    modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}
    assert study["id"] == INSTANCE
    assert study["meta"] == {"tag": [{"system": "urn:xinglin:tag", "code": "fragment"}]}
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{STUDY}"}
    assert study["identifier"][1]["value"] == "A-77"
    assert study["subject"] == {"reference": "Patient/P-17"}
    assert (study["status"], study["started"], study["modality"]) == ("available", "2024-01-15", [modality])
    assert study["referrer"] == {"display": "Li Na"}
    assert study["extension"] == [
        {"url": "urn:xinglin:object-sha256", "valueString": hashlib.sha256(data).hexdigest()},
        {"url": "urn:xinglin:local-time", "valueTime": "08:30:00"},
    ]
    assert study["series"] == [
        {
            "uid": SERIES,
            "number": 2,
            "modality": modality,
            "description": "Axial",
            "bodySite": {"system": "http://snomed.info/sct", "code": "69536005", "display": "Head"},
            "instance": [
                {
                    "uid": INSTANCE,
                    "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.2"},
                    "number": 14,
                }
            ],
        }
    ]
    mentioned, fragment = read(data)
    assert (mentioned.mention, mentioned.keep, fragment.mention, fragment.keep) == (True, None, False, data)


def _written(group: str) -> list[dict[str, str]]:
    return [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": group}]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
def test_every_transfer_syntax_tells_the_same(syntax: str) -> None:
    patient, study = resources(dicom_object(syntax=syntax))
    expected_patient, expected_study = resources(dicom_object())

    assert patient == expected_patient
    assert {**study, "extension": None} == {**expected_study, "extension": None}


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_an_object_without_preamble_is_read(syntax: str) -> None:
    data = dicom_object(syntax=syntax, prefix=False)

    assert recognises("IM0001", data, Reading())
    assert resources(data)[0]["id"] == "P-17"


@pytest.mark.parametrize(
    "text",
    [
        b'{"resourceType":"Patient","id":"a"}\n',
        b"MSH|^~\\&|LAB\r",
        b"id;name\n1;Li\n",
        "编号,姓名\n".encode("gb18030"),
        b"PK\x03\x04",
    ],
)
def test_text_is_never_taken_for_an_object(text: bytes) -> None:
    assert not recognises("export", text, Reading())
    assert not recognises("export.dcm", text * 3, Reading()) or text.startswith(b"PK")
    assert refused(text, "export.csv")[0] == "not-dicom"


@pytest.mark.parametrize("name", ["a.dcm", "a.DICOM", "a.ima"])
def test_a_name_that_promises_an_object_is_held_to_it(name: str) -> None:
    assert recognises(name, b"", Reading())
    assert recognises(name, bytes(200), Reading())
    assert refused(b"", name)[0] in ("not-dicom", "missing-element")
    assert refused(bytes(200), name)[0] == "missing-element"


def test_values_that_fhir_cannot_hold_are_left_out_one_by_one() -> None:
    patient, study = resources(
        dicom_object(
            {
                0x00080020: ("DA", "20240231"),
                0x00080021: ("DA", "2024.01.16"),
                0x00080060: ("CS", "not a modality, surely"),
                0x00100030: ("DA", "unknown"),
                0x00100040: ("CS", "?"),
                0x00101010: ("AS", "12"),
                0x00200011: ("IS", "-5"),
                0x00200013: ("IS", "99999999999999999999"),
                0x0008103E: ("LO", b"\x00\x01\x02"),
            }
        )
    )

    assert set(patient) == {"resourceType", "id", "identifier", "name"}
    assert "started" not in study and "modality" not in study
    assert set(study["series"][0]) == {"uid", "bodySite", "started", "instance"}
    assert study["series"][0]["started"] == "2024-01-16"
    assert "number" not in study["series"][0]["instance"][0]


def test_a_moment_needs_an_offset_and_has_it_where_the_object_says_it() -> None:
    _, study = resources(dicom_object({0x00080201: ("SH", "+0800")}))

    assert study["started"] == "2024-01-15T08:30:00+08:00"


@pytest.mark.parametrize(
    ("tag", "words"),
    [(0x0020000D, "Study Instance UID"), (0x0020000E, "Series Instance UID")],
)
def test_an_object_that_belongs_nowhere_is_set_aside_and_kept(tag: int, words: str) -> None:
    data = dicom_object(without=(tag,))
    (record,) = read(data)

    assert refused(data) == ("missing-element", f"expected the {words}")
    assert record.keep == data


def test_the_file_meta_information_names_an_instance_that_does_not_name_itself() -> None:
    assert resources(dicom_object(without=(0x00080018, 0x00080016)))[1]["id"] == INSTANCE
    assert refused(dicom_object(without=(0x00080018,), prefix=False))[0] == "missing-element"


@pytest.mark.parametrize(("uid", "stays"), [("1.02.003", True), ("1.2.A", True), ("1.2/3", False), ("1" * 65, False)])
def test_a_uid_stays_as_it_is_written_where_it_can_be_an_id(uid: str, stays: bool) -> None:
    data = dicom_object({0x00080018: ("UI", uid)})

    if stays:
        assert resources(data)[1]["id"] == uid
    else:
        assert refused(data) == ("invalid-id", "expected the SOP Instance UID in 1 to 64 digits and dots")


def test_elements_out_of_their_order_are_found() -> None:
    late = element(0x0020000D, "UI", STUDY) + element(0x00080018, "UI", INSTANCE)
    data = dicom_object({0x00280010: ("US", b"\x01\x00")}, without=(0x0020000D,)) + late

    assert resources(data)[1]["identifier"][0]["value"] == f"urn:oid:{STUDY}"


def test_a_coded_region_comes_before_the_word_and_an_unknown_word_stays_a_word() -> None:
    coded = dict(
        [sequence(0x00082218, {0x00080100: ("SH", "80891009"), 0x00080102: ("SH", "SCT"), 0x00080104: ("LO", "Heart")})]
    )
    site = resources(dicom_object({**coded, 0x00200060: ("CS", "L")}))[1]["series"][0]

    assert site["bodySite"] == {"system": "http://snomed.info/sct", "code": "80891009", "display": "Heart"}
    assert site["laterality"]["code"] == "7771000"
    word = resources(dicom_object({0x00180015: ("CS", "LEFT FOOT AGAIN")}))[1]["series"][0]["bodySite"]
    assert word == {"display": "LEFT FOOT AGAIN"}


def test_a_deflated_bomb_is_unpacked_no_further_than_a_header() -> None:
    import tracemalloc

    header = b"".join(element(tag, *BASIC[tag]) for tag in sorted(BASIC))
    pixels = b"\xe0\x7f\x10\x00OB\x00\x00" + struct.pack("<L", 2**31)
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(header + pixels) + b"".join(packer.compress(bytes(1_000_000)) for _ in range(200))
    data = dicom_object(syntax=DEFLATED)[: -len(zlib.compress(b""))]
    meta_end = dicom_object(syntax=DEFLATED).index(DEFLATED.encode()) + len(DEFLATED)
    bomb = data[:meta_end] + packed + packer.flush()
    read(bomb)
    tracemalloc.start()
    patient, _ = resources(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert patient["id"] == "P-17"
    assert peak < 20_000_000


def test_sequences_nested_without_end_are_one_record_set_aside() -> None:
    nested = b"\x08\x00\x10\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    data = dicom_object(without=tuple(BASIC)) + nested

    assert refused(data)[0] == "damaged-dicom"


def test_a_larger_object_than_may_be_held_is_set_aside() -> None:
    assert refused(dicom_object(), reading=Reading(limits=Limits(document_bytes=100)))[0] == "too-large"


def test_no_value_comes_out_by_warnings_logs_or_reasons(caplog: pytest.LogCaptureFixture) -> None:
    broken = [
        dicom_object({0x00100020: ("LO", SECRET * 9), 0x00080005: ("CS", SECRET), 0x00080018: ("UI", SECRET)}),
        dicom_object(
            {0x00100010: ("PN", SECRET.encode() + b"\xff\x1b$)C\xff"), 0x00080005: ("CS", "\\ISO 2022 IR 149")}
        ),
        dicom_object({0x00080020: ("DA", SECRET), 0x00080016: ("UI", SECRET)}, without=(0x0020000D,))[:-7],
    ]
    filters = list(warnings.filters)
    with warnings.catch_warnings(record=True) as heard, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        with ThreadPoolExecutor(8) as threads:
            found = [record for some in threads.map(read, broken * 40) for record in some]

    told = [f"{one.found.reason} {one.found.detail}" for one in found if isinstance(one.found, Rejected)]
    assert told
    assert not any(SECRET in text for text in (*told, caplog.text, *(str(one.message) for one in heard)))
    assert heard == []
    assert warnings.filters == filters
    assert not logging.getLogger("pydicom").disabled
