from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.unit.identity.handmade import Region, resident_id
from xinglin.contracts.identity import PATIENT
from xinglin.identity.features.extract import extract_features, read_landed

ID = "11010519491231002X"


def features(region: Region, **resource: Any) -> dict[str, Any]:
    region.land("s", [{"resourceType": "Patient", "id": "1", **resource}])
    connection = duckdb.connect()
    read_landed(connection, region.files())
    assert extract_features(connection, "patient") == 1
    row = connection.execute(f"SELECT {', '.join(PATIENT.column_names)} FROM patient").fetchall()[0]
    return dict(zip(PATIENT.column_names, row, strict=True))


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ({"family": "O'Brien", "given": ["José Luis", "X"]}, "obrien", "joseluis"),
        ({"family": "张", "given": ["伟"]}, "张", "伟"),
        ({"text": "张 伟"}, "张", "伟"),
        ({"text": "欧阳娜娜"}, "欧阳", "娜娜"),
        ({"text": "张伟", "family": "张"}, "张", "伟"),
        ({"text": "John Q. Public"}, "public", "john"),
        ({"text": "Smith, John"}, "smith", "john"),
        ({"family": "Ｗａｎｇ"}, "wang", None),
        ({"text": "Plato"}, "plato", None),
        ({"family": "-"}, None, None),
    ],
)
def test_a_name_is_told_apart_and_normalised(
    region: Region, name: dict[str, Any], family: str | None, given: str | None
) -> None:
    found = features(region, name=[name])
    assert (found["family_name"], found["given_name"]) == (family, given)


def test_the_official_name_is_compared_and_a_maiden_name_is_not(region: Region) -> None:
    names = [{"use": "maiden", "family": "Old"}, {"family": "Plain"}, {"use": "official", "family": "New"}]
    assert features(region, name=names)["family_name"] == "new"


def coded(code: str, value: str) -> dict[str, Any]:
    return {"type": {"coding": [{"code": code}]}, "value": value}


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ([coded("MR", ID), coded("NI", "A1234567")], "a1234567"),
        ([coded("MR", ID)], None),
        ([coded("SS", "999-34-9427")], "999349427"),
        ([coded("NNCHN", ID)], ID.lower()),
        ([{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123-45-6780"}], "123456780"),
        ([{"value": ID}], ID.lower()),
        ([{"value": "110105194912310021"}], None),
        ([coded("NI", "110105491231002")], ID.lower()),
        ([coded("PPN", "X10613514"), coded("SS", "999-34-9427")], "999349427"),
        ([coded("PPN", "X10613514")], "x10613514"),
        ([coded("SS", "999-99-9999")], None),
        ([coded("NI", "000000000000000000")], None),
    ],
)
def test_only_a_national_number_is_taken_for_one(
    region: Region, identifiers: list[dict[str, Any]], expected: str | None
) -> None:
    assert features(region, identifier=identifiers)["national_id"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+86 138-0013-8000", "13800138000"),
        ("(555) 520-4891", "5555204891"),
        ("+1 555 520 4891", "5555204891"),
        ("12345", None),
        ("00000000", None),
    ],
)
def test_a_phone_is_its_last_digits(region: Region, written: str, expected: str | None) -> None:
    assert features(region, telecom=[{"system": "phone", "value": written}])["phone"] == expected


@pytest.mark.parametrize(("written", "expected"), [("1990-02-03", "1990-02-03"), ("1990-02", None), ("1990", None)])
def test_a_birth_date_counts_only_when_known_to_the_day(region: Region, written: str, expected: str | None) -> None:
    assert features(region, birthDate=written)["birth_date"] == expected


def test_fields_of_the_wrong_type_leave_a_record_without_them(region: Region) -> None:
    found = features(region, name="clash", telecom={"value": 3}, identifier=7, birthDate=["1990-01-01"], address=None)
    assert {name for name, value in found.items() if value is not None} <= {"patient_key", "site", "local_id"}


def test_a_replaced_version_is_not_read(region: Region) -> None:
    region.land("s", [{"id": "1", "gender": "male"}, {"id": "2"}])
    region.land("s", [{"id": "1", "gender": "female"}])
    region.replaced = {("s", 1, "Patient-00000.parquet"): [0]}
    connection = duckdb.connect()
    read_landed(connection, region.files())
    extract_features(connection, "patient")
    rows = connection.execute("SELECT local_id, gender FROM patient ORDER BY local_id").fetchall()
    assert rows == [("1", "female"), ("2", None)]


def test_the_check_character_of_resident_numbers_is_the_standards() -> None:
    assert resident_id(ID[:17]) == ID
