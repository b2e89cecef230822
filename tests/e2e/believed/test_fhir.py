"""FHIR: who an entry is, which version counts, what a reference names."""

from __future__ import annotations

import base64
import json
from itertools import permutations
from typing import Any

import pytest

from .conftest import Delivered, Resource

pytestmark = pytest.mark.e2e
DAY = "2024-03-01T08:00:00+08:00"
NAMES = [("Arlen", "Bea", "1950-02-11"), ("Corvin", "Dag", "1988-09-30"), ("Elmar", "Fay", "1971-03-09")]


def lines(*resources: Resource) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in resources)


def patient(number: str = "p", person: int = 0, **more: Any) -> Resource:
    family, given, born = NAMES[person]
    return {
        "resourceType": "Patient",
        "id": number,
        "name": [{"family": family, "given": [given]}],
        "gender": "female",
        "birthDate": born,
        **more,
    }


def result(value: float, number: str = "o", subject: Resource | str = "Patient/p", **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": subject} if isinstance(subject, str) else subject,
        "effectiveDateTime": DAY,
        "valueQuantity": {"value": value, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
        **more,
    }


def bundle(*entries: Resource, kind: str = "transaction", **more: Any) -> str:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries), **more})


def posted(number: int, resource: Resource) -> Resource:
    url = f"urn:uuid:{number:08x}-0000-4000-8000-000000000000"
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def results(delivered: Delivered) -> list[tuple[int, float]]:
    """Year of birth and value of each measurement."""
    return delivered.ask(
        "SELECT year_of_birth, value_as_number FROM measurement JOIN person USING (person_id) ORDER BY ALL"
    )


def test_one_temporary_id_in_two_bundles_is_two_patients(delivered: Delivered) -> None:
    files = {
        f"{number}.json": bundle(
            posted(2 * number, patient("1", number)), posted(2 * number + 1, result(6 + number, "1", "Patient/1"))
        )
        for number in range(2)
    }
    assert delivered.land(files).landed == 4
    delivered.run()
    assert results(delivered) == [(1950, 6.0), (1988, 7.0)]


def test_a_reference_to_another_server_names_no_patient_of_this_one(delivered: Delivered) -> None:
    here, there = "https://a.example/fhir", "https://b.example/fhir"
    inside = [
        {"fullUrl": f"{here}/Patient/p", "resource": patient()},
        {"fullUrl": f"{here}/Observation/1", "resource": result(1, "1", f"{here}/Patient/p")},
        {"fullUrl": f"{here}/Observation/2", "resource": result(2, "2", f"{there}/Patient/p")},
    ]
    delivered.land({"a.json": bundle(*inside, kind="searchset")})
    assert delivered.run() == {"no-person": 1}
    assert results(delivered) == [(1950, 1.0)]


IDENTIFIER = {"system": "urn:oid:1.2.3.4", "value": "77-A"}
CONTAINED = [{"resourceType": "Patient", "id": "c", "identifier": [IDENTIFIER]}]


@pytest.mark.parametrize("late", [False, True])
def test_a_patient_may_be_named_by_an_identifier(delivered: Delivered, late: bool) -> None:
    who = lines(patient(identifier=[IDENTIFIER]), patient("q", 1, identifier=[{"value": "77-B"}]))
    what = lines(
        result(1, "1", "Patient?identifier=urn:oid:1.2.3.4|77-A"),
        result(2, "2", {"type": "Patient", "identifier": IDENTIFIER}),
        result(3, "3", "#c", contained=CONTAINED),
        result(4, "4", "Patient?identifier=77-B"),
        result(5, "5", "Patient?identifier=urn:oid:1.2.3.4|77-B"),
        result(6, "6", {"type": "Group", "identifier": IDENTIFIER}),
    )
    delivered.land({"who.ndjson": who, "what.ndjson": what} if not late else {"what.ndjson": what})
    if late:
        delivered.land({"who.ndjson": who})
    assert delivered.run() == {"no-person": 2}
    assert results(delivered) == [(1950, 1.0), (1950, 2.0), (1950, 3.0), (1988, 4.0)]


def test_an_identifier_that_two_persons_have_names_neither(delivered: Delivered) -> None:
    shared = [{"system": "urn:oid:1.2.3.4", "value": "0000"}]
    named = result(1, "1", {"identifier": shared[0]})
    delivered.land({"a.ndjson": lines(patient(identifier=shared), patient("q", 1, identifier=shared), named)})
    assert delivered.run() == {"no-person": 1}


def test_a_document_in_a_searchset_is_unpacked(delivered: Delivered) -> None:
    document = json.loads(bundle(posted(1, patient()), posted(2, result(1)), kind="document"))
    delivered.land({"a.json": bundle({"resource": document}, kind="searchset")})
    delivered.run()
    assert results(delivered) == [(1950, 1.0)]


def test_a_line_that_is_a_bundle_without_an_id_is_unpacked(delivered: Delivered) -> None:
    delivered.land({"a.ndjson": bundle(posted(1, patient()), posted(2, result(1)), kind="document") + "\n" * 2 + "{}"})
    delivered.run()
    assert results(delivered) == [(1950, 1.0)]


@pytest.mark.parametrize("bulk", [False, True])
def test_a_deleted_resource_leaves_the_mart(delivered: Delivered, bulk: bool) -> None:
    delivered.land({"a.ndjson": lines(patient(), result(1, "1"), result(2, "2"))})
    delivered.run()
    assert results(delivered) == [(1950, 1.0), (1950, 2.0)]
    entry = {"request": {"method": "DELETE", "url": "Observation/1"}}
    if bulk:
        delivered.land({"deleted.ndjson": bundle(entry) + "\n"})
    else:
        delivered.land({"b.json": bundle({**entry, "fullUrl": "https://a.example/fhir/Observation/1"}, kind="history")})
    delivered.run()
    assert results(delivered) == [(1950, 2.0)]


def test_a_deleted_patient_leaves_the_mart_with_the_results(delivered: Delivered) -> None:
    delivered.land({"a.ndjson": lines(patient(), result(1), patient("q", 1), result(2, "2", "Patient/q"))})
    delivered.land({"b.json": bundle({"request": {"method": "DELETE", "url": "Patient/p"}}, kind="history")})
    delivered.run()
    assert results(delivered) == [(1988, 2.0)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_version_changed_last_counts_in_whatever_order_it_comes(
    delivered: Delivered, order: tuple[int, ...]
) -> None:
    versions = [
        result(number, meta={"lastUpdated": updated})
        for number, updated in enumerate(("2024-06-01T16:00:00Z", "2024-06-02T01:00:00+08:00", "2024-06-01T20:00:00Z"))
    ]
    delivered.land({"a.ndjson": lines(patient(), *(versions[number] for number in order))})
    delivered.run()
    assert results(delivered) == [(1950, 2.0)]


@pytest.mark.parametrize("reference", ["Patient/p", "https://a.example/fhir/Patient/p", "Patient/p/_history/2"])
def test_a_retired_patients_results_go_to_the_one_that_replaces_it(delivered: Delivered, reference: str) -> None:
    retired = {
        "resourceType": "Patient",
        "id": "old",
        "active": False,
        "link": [{"type": "replaced-by", "other": {"reference": reference}}],
    }
    delivered.land({"a.ndjson": lines(patient(), retired, result(1, "1", "Patient/old"))})
    delivered.run()
    assert results(delivered) == [(1950, 1.0)]


def test_the_day_of_death_said_last_counts_by_the_moment_not_by_the_clock(delivered: Delivered) -> None:
    number = [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:1.9", "value": "9001"}]
    said = [("2024-05-01", "2024-06-02T01:00:00+08:00"), ("2024-05-03", "2024-06-01T20:00:00Z")]
    both = (
        patient(f"p{at}", identifier=number, deceasedDateTime=day, meta={"lastUpdated": updated})
        for at, (day, updated) in enumerate(said)
    )
    delivered.land({"a.ndjson": lines(*both)})
    delivered.run()
    assert delivered.ask("SELECT death_date::VARCHAR FROM death") == [("2024-05-03",)]


@pytest.mark.parametrize("break_", ["\r\n", "\n", " ", "\t"])
def test_base64_may_have_white_space_in_it(delivered: Delivered, break_: str) -> None:
    text = "Thorax unremarkable. No effusion on either side; heart of normal size. " * 2
    data = base64.b64encode(text.encode()).decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "type": {"text": "note"},
        "subject": {"reference": "Patient/p"},
        "date": "2024-04-01T10:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain", "data": data[:76] + break_ + data[76:]}}],
    }
    delivered.land({"a.ndjson": lines(patient(), document)})
    assert delivered.run() == {}
    assert delivered.ask("SELECT note_text FROM note") == [(text,)]


def test_elements_that_fhir_does_not_know_are_counted_and_told(delivered: Delivered) -> None:
    odd = patient("q", 1, surname="x", birthdate="1990-01-01", _gender={"id": "g"}, deceased=True)
    report = delivered.land({"a.ndjson": lines(patient(deceasedBoolean=False), odd, patient("r", 2, surname="y"))})
    assert report.unknown_elements == {"Patient.surname": 2, "Patient.birthdate": 1, "Patient.deceased": 1}
    [batch] = delivered.stores.landing.batches("mercy")
    assert batch.manifest["unknown_elements"] == report.unknown_elements


@pytest.mark.parametrize("bundled", [False, True])
def test_a_date_that_cannot_be_read_costs_the_date(delivered: Delivered, bundled: bool) -> None:
    unclear = patient(
        birthDate="1950-02-30",
        name=[{"family": "Arlen", "period": {"start": "soon"}}, {"family": "Bo", "period": {"start": "2024"}}],
    )
    files = {"a.json": bundle({"resource": unclear}, kind="collection")} if bundled else {"a.ndjson": lines(unclear)}
    report = delivered.land(files)
    assert (report.received, report.landed, report.quarantined) == (3, 1, 2)
    assert delivered.reasons() == {"invalid-date": 2}
    [landed] = delivered.current("Patient")
    assert "birthDate" not in landed
    assert [one.get("valueCode", one.get("valueString")) for one in landed["_birthDate"]["extension"]] == [
        "error", "1950-02-30",
    ]  # fmt: skip
    assert [sorted(one["period"]) for one in landed["name"]] == [["_start"], ["start"]]
