"""Bundles: entries cut out, references rewritten, positions kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xinglin.sources import Limits, Rejected
from xinglin.sources.fhir import check
from xinglin.sources.fhir.bundle import entries

ONE = "urn:uuid:0c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f11"
TWO = "urn:uuid:1c6b9bd5-6d3c-4f0f-9ee5-3d1a0a2b6f12"


def bundle(*found: dict[str, Any], kind: str = "transaction", **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(found), **more}, indent=1).encode()


def texts(data: bytes) -> list[dict[str, Any]]:
    inside = entries(data, Limits())
    assert inside is not None
    return [json.loads(text) for _, text in inside if isinstance(text, bytes)]


@pytest.mark.parametrize("kind", ["transaction", "collection", "batch", "searchset"])
def test_a_urn_reference_becomes_type_and_id(kind: str) -> None:
    found = texts(
        bundle(
            {"fullUrl": ONE, "resource": {"resourceType": "Patient", "id": "p"}},
            {"fullUrl": TWO, "resource": {"resourceType": "Basic", "id": "b", "subject": {"reference": ONE}}},
            kind=kind,
        )
    )
    assert found[1]["subject"]["reference"] == "Patient/p"


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
        assert found[2]["subject"]["reference"] == "https://other.example/Patient/q"


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
    inside = entries(bundle({"request": {"method": "DELETE"}}, {"fullUrl": ONE}), Limits())
    assert inside is not None
    assert [(number, found.reason) for number, found in inside if isinstance(found, Rejected)] == [
        (1, "unsupported-request"),
        (2, "missing-resource"),
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
