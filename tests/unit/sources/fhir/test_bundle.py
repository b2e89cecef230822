"""Bundles: entries cut out, references rewritten, positions kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xinglin.sources import Limits, Rejected
from xinglin.sources.fhir import check
from xinglin.sources.fhir.addresses import local_id
from xinglin.sources.fhir.bundle import entries
from xinglin.sources.record import Resource

ONE = "urn:uuid:0c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f11"
TWO = "urn:uuid:1c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f12"


def bundle(*found: dict[str, Any], kind: str = "transaction", **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(found), **more}, indent=1).encode()


def posted(full_url: str | None, resource: dict[str, Any]) -> dict[str, Any]:
    return ({"fullUrl": full_url} if full_url else {}) | {"resource": resource, "request": {"method": "POST"}}


def texts(data: bytes) -> list[dict[str, Any]]:
    inside = entries(data, Limits())
    assert inside is not None
    return [json.loads(text) for _, text in inside if isinstance(text, bytes)]


@pytest.mark.parametrize(
    ("kind", "patient"), [("transaction", ONE[9:]), ("collection", ONE[9:]), ("document", ONE[9:]), ("searchset", "p")]
)
def test_a_urn_reference_becomes_type_and_id(kind: str, patient: str) -> None:
    found = texts(
        bundle(
            {"fullUrl": ONE, "resource": {"resourceType": "Patient", "id": "p"}},
            {"fullUrl": TWO, "resource": {"resourceType": "Basic", "id": "b", "subject": {"reference": ONE}}},
            kind=kind,
        )
    )
    assert found[0]["id"] == patient
    assert found[1]["subject"]["reference"] == f"Patient/{patient}"


def test_a_resource_without_id_takes_the_uuid_of_its_full_url() -> None:
    found = texts(
        bundle(
            {"fullUrl": ONE, "resource": {"resourceType": "Patient"}},
            {"fullUrl": TWO, "resource": {"resourceType": "Basic", "subject": {"reference": ONE}}},
        )
    )
    assert found[0]["id"] == ONE[9:]
    assert found[1]["subject"]["reference"] == f"Patient/{ONE[9:]}"


def test_an_absolute_reference_to_an_entry_becomes_type_and_id_even_with_escaped_slashes() -> None:
    data = bundle(
        {"fullUrl": "https://h.example/fhir/Patient/p", "resource": {"resourceType": "Patient"}},
        {
            "resource": {
                "resourceType": "Basic",
                "id": "b",
                "subject": {"reference": "https://h.example/fhir/Patient/p"},
            }
        },
        {"resource": {"resourceType": "Basic", "id": "c", "subject": {"reference": "https://other.example/Patient/q"}}},
    )
    for version in (data, data.replace(b"/fhir/", rb"\/fhir\/")):
        found = texts(version)
        assert found[0]["id"] == "p"
        assert found[1]["subject"]["reference"] == "Patient/p"
        assert found[2]["subject"]["reference"] == f"Patient/{local_id('other.example', 'Patient', 'q')}"


def test_relative_and_conditional_references_and_text_that_looks_like_one_stay() -> None:
    resource = {
        "resourceType": "Basic",
        "id": "b",
        "subject": {"reference": "Patient/p", "display": f'"reference":"{ONE}"'},
        "author": {"reference": "Practitioner?identifier=x|1"},
    }
    assert (
        texts(bundle({"fullUrl": ONE, "resource": {"resourceType": "Patient", "id": "z"}}, {"resource": resource}))[1]
        == resource
    )


def test_numbers_in_a_bundle_stay_as_they_were_written() -> None:
    data = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","id":"a","x":1.50 }}]}'
    assert entries(data, Limits()) == [(1, b'{"resourceType":"Basic","id":"a","x":1.50}')]


def test_entries_that_bring_nothing_are_told_apart() -> None:
    patch = {"request": {"method": "PATCH", "url": "Patient/p"}, "resource": {"resourceType": "Parameters"}}
    inside = entries(bundle({"request": {"method": "DELETE"}}, {"fullUrl": ONE}, patch), Limits())
    assert inside is not None
    assert [(number, found.reason) for number, found in inside if isinstance(found, Rejected)] == [
        (1, "unsupported-request"),
        (2, "missing-resource"),
        (3, "unsupported-request"),
    ]


def test_an_entry_without_any_id_is_refused_later() -> None:
    inside = entries(bundle({"resource": {"resourceType": "Patient"}}), Limits())
    assert inside is not None and isinstance(inside[0][1], bytes)
    with pytest.raises(Rejected, match="missing-id"):
        check(inside[0][1], Limits())


def test_the_newest_version_of_a_history_comes_last() -> None:
    versions = [{"resource": {"resourceType": "Patient", "id": "p", "gender": one}} for one in ("female", "male")]
    assert [one["gender"] for one in texts(bundle(*versions, kind="history"))] == ["male", "female"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bundle({"fullUrl": ONE, "resource": {"resourceType": "Patient"}})[:-20], "invalid-json"),
        (b'{"resourceType":"Bundle","entry":{}}', "wrong-type"),
        (b'{"resourceType":"Bundle","entry":[1]}', "wrong-type"),
        (b'{"resourceType":"Bundle","type":"batch","type":"batch","entry":[]}', "duplicate-key"),
        (b'{"resourceType":"Bundle","entry":[{"fullUrl":"a","fullUrl":"a"}]}', "duplicate-key"),
        (b'{"resourceType":"Bundle","id":"\xff"}', "invalid-utf8"),
        (b'{"resourceType":"Bundle","entry":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "too-deep"),
    ],
)
def test_a_bundle_that_cannot_be_read_is_one_refusal(data: bytes, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        entries(data, Limits())
    assert caught.value.reason == reason


def test_what_is_no_bundle_is_left_to_others() -> None:
    assert entries(b'{"resourceType":"List","id":"a","entry":[{"item":{}}]}', Limits()) is None
    assert entries(b'{"resourceType":"Patient","id":"a","entry":5}', Limits()) is None
    assert entries(b"[]", Limits()) is None


PATIENT = {"resourceType": "Patient", "id": "1"}
RESULT = {"resourceType": "Observation", "id": "1", "subject": {"reference": "Patient/1"}}


def test_the_temporary_id_of_what_is_posted_gives_way_to_its_full_url() -> None:
    patient, result = texts(bundle(posted(ONE, PATIENT), posted(TWO, RESULT)))
    assert (patient["id"], result["id"]) == (ONE[9:], TWO[9:])
    assert result["subject"]["reference"] == f"Patient/{ONE[9:]}"


def test_a_temporary_id_without_a_full_url_is_one_of_its_bundle_only() -> None:
    def posted_by(family: str) -> tuple[str, str]:
        patient, result = texts(bundle(posted(None, PATIENT | {"name": [{"family": family}]}), posted(None, RESULT)))
        assert result["subject"]["reference"] == f"Patient/{patient['id']}"
        return patient["id"], result["id"]

    assert posted_by("Li") == posted_by("Li")
    assert not {*posted_by("Li")} & {*posted_by("Qi")}
    assert "1" not in posted_by("Li")


def test_a_reference_to_a_temporary_id_that_two_entries_carry_names_neither() -> None:
    first, second, result = texts(bundle(posted(ONE, PATIENT), posted(TWO, PATIENT), posted(None, RESULT)))
    assert result["subject"]["reference"] not in {"Patient/1", f"Patient/{first['id']}", f"Patient/{second['id']}"}


def test_a_uuid_that_was_posted_without_a_full_url_stays() -> None:
    assert texts(bundle(posted(None, PATIENT | {"id": ONE[9:]})))[0]["id"] == ONE[9:]


def test_what_is_put_is_where_it_was_put() -> None:
    entry = {"fullUrl": ONE, "resource": PATIENT, "request": {"method": "PUT", "url": "Patient/1"}}
    result = {"fullUrl": TWO, "resource": RESULT | {"subject": {"reference": ONE}}, "request": {"method": "PUT"}}
    patient, result = texts(bundle(entry, result))
    assert (patient["id"], result["id"], result["subject"]["reference"]) == ("1", "1", "Patient/1")


def test_another_server_than_the_one_that_answered_is_another_server() -> None:
    here, there = "https://a.example/fhir", "https://b.example/fhir"
    inside = [
        {"fullUrl": f"{here}/Patient/1", "resource": PATIENT},
        {"fullUrl": f"{here}/Observation/1", "resource": RESULT | {"subject": {"reference": f"{there}/Patient/1"}}},
        {"fullUrl": f"{here}/Observation/2", "resource": RESULT | {"id": "2"}},
        {"fullUrl": f"{there}/Patient/1", "resource": PATIENT},
        {"fullUrl": f"{there}/Observation/1", "resource": RESULT},
        {
            "fullUrl": f"{here}/Observation/3",
            "resource": RESULT | {"id": "3", "subject": {"reference": f"{here}/Patient/1"}},
        },
    ]
    link = [{"relation": "self", "url": f"{here}/Observation?_include=*"}]
    patient, of_other, own, other, others, absolute = texts(bundle(*inside, kind="searchset", link=link))
    assert patient["id"] == "1" and own["subject"]["reference"] == absolute["subject"]["reference"] == "Patient/1"
    assert other["id"] != "1" and others["id"] != "1"
    assert of_other["subject"]["reference"] == others["subject"]["reference"] == f"Patient/{other['id']}"


def test_the_scheme_and_the_version_do_not_make_another_server() -> None:
    inside = [
        {"fullUrl": "https://a.example/fhir/Patient/1", "resource": PATIENT},
        {"fullUrl": "https://a.example/fhir/Observation/1",
         "resource": RESULT | {"subject": {"reference": "http://A.example:80/fhir/Patient/1/_history/4"}}},
    ]  # fmt: skip
    assert texts(bundle(*inside, kind="searchset"))[1]["subject"]["reference"] == "Patient/1"


def test_a_bundle_in_a_bundle_is_unpacked_under_the_number_of_its_entry() -> None:
    document = json.loads(
        bundle({"fullUrl": ONE, "resource": PATIENT}, {"fullUrl": TWO, "resource": RESULT}, kind="document")
    )
    inside = entries(bundle({"resource": {"resourceType": "Basic", "id": "b"}}, {"resource": document}), Limits())
    assert inside is not None and [number for number, _ in inside] == [1, 2, 2]
    assert [json.loads(text)["resourceType"] for _, text in inside if isinstance(text, bytes)] == [
        "Basic", "Patient", "Observation",
    ]  # fmt: skip


def test_bundles_in_bundles_end_somewhere() -> None:
    data = bundle({"resource": PATIENT})
    for _ in range(20):
        data = bundle({"resource": json.loads(data)})
    inside = entries(data, Limits())
    assert inside is not None
    assert [found.reason for _, found in inside if isinstance(found, Rejected)] == ["too-deep"]


@pytest.mark.parametrize(
    ("entry", "kind", "updated"),
    [
        ({"request": {"method": "DELETE", "url": "Patient/1"}}, "transaction", True),
        ({"request": {"method": "DELETE", "url": "https://a.example/fhir/Patient/1"}}, "transaction", True),
        ({"fullUrl": "https://a.example/fhir/Patient/1", "request": {"method": "DELETE"}}, "history", False),
        ({"request": {"method": "DELETE", "url": "Patient/1"}, "response": {"lastModified": "2024-05-01T00:00:00Z"}},
         "history", True),
        ({"request": {"method": "DELETE", "url": "Patient/1"}, "resource": PATIENT}, "batch", True),
    ],
)  # fmt: skip
def test_a_deletion_is_a_version_that_says_so(entry: dict[str, Any], kind: str, updated: bool) -> None:
    inside = entries(bundle(entry, kind=kind, meta={"lastUpdated": "2024-05-02T00:00:00Z"}), Limits())
    assert inside is not None
    [(_, found)] = inside
    assert isinstance(found, Resource) and found.deleted
    assert (found.resource_type, found.resource_id, found.patient_id) == ("Patient", "1", "1")
    assert (found.updated is not None) is updated


def test_a_repeated_key_does_not_vanish_when_an_id_is_replaced() -> None:
    raw = b'{"resourceType":"Patient","id":"1","gender":"male","gender":"female"}'
    data = bundle(posted(ONE, PATIENT)).replace(json.dumps(PATIENT, indent=1).replace("\n", "\n   ").encode(), raw)
    assert raw in data
    inside = entries(data, Limits())
    assert inside is not None and isinstance(inside[0][1], Rejected) and inside[0][1].reason == "duplicate-key"
