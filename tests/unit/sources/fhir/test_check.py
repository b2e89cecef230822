"""One resource: what is refused, why, and that nothing is changed on the way."""

from __future__ import annotations

import json

import pytest

from xinglin.sources import Limits, Rejected
from xinglin.sources.fhir import check
from xinglin.sources.fhir.resource_types import R4, RESOURCE_TYPES

LIMITS = Limits()


def refused(raw: bytes | str, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        check(raw.encode() if isinstance(raw, str) else raw, limits)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "invalid-json"),
        (b'{"resourceType":"Patient","id":"a"} x', "invalid-json"),
        (b'{"resourceType":"Patient","id":NaN}', "invalid-json"),
        (b"{'resourceType':'Patient'}", "invalid-json"),
        (b'{"resourceType":"Patient","id":"a","x":"\xff"}', "invalid-utf8"),
        (b'{"resourceType":"Patient","id":"a","id":"b"}', "duplicate-key"),
        (b'{"resourceType":"Patient","id":"a","name":[{"family":"A","family":"A"}]}', "duplicate-key"),
        (b"[]", "not-fhir"),
        (b"1", "not-fhir"),
        (b'{"id":"a"}', "not-fhir"),
        (b'{"resourceType":5,"id":"a"}', "wrong-type"),
        (b'{"resourceType":"Person1","id":"a"}', "unknown-resource-type"),
        (b'{"resourceType":"Patient"}', "missing-id"),
        (b'{"resourceType":"Patient","id":7}', "wrong-type"),
        (b'{"resourceType":"Patient","id":"a b"}', "invalid-id"),
        (b'{"resourceType":"Patient","id":"' + b"a" * 65 + b'"}', "invalid-id"),
        (b'{"resourceType":"Patient","id":"a","birthDate":"2024-02-30"}', "invalid-date"),
        (b'{"resourceType":"Patient","id":"a","extension":[{"url":null}]}', "wrong-type"),
        (b'{"resourceType":"Patient","id":"a","extension":[{"valueString":"x"}]}', "missing-element"),
        (b'{"resourceType":"Basic","id":"a","unknown":{"deep":[{"x":null}]}}', "wrong-type"),
    ],
)
def test_what_is_not_fhir_is_refused_with_its_reason(raw: bytes, reason: str) -> None:
    assert refused(raw)[0] == reason


CLASHES = [
    ("Patient", "birthDate", 19700101, "$.birthDate"),
    ("Patient", "name", {"family": "Secret"}, "$.name"),
    ("Patient", "name", [{"family": ["Secret"]}], "$.name[0].family"),
    ("Patient", "name", [{"given": "Secret"}], "$.name[0].given"),
    ("Patient", "active", "true", "$.active"),
    ("Patient", "telecom", [{"value": 13800000000}], "$.telecom[0].value"),
    ("Patient", "address", {"city": "Secret"}, "$.address"),
    ("Patient", "deceasedBoolean", 1, "$.deceasedBoolean"),
    ("Patient", "gender", ["female"], "$.gender"),
    ("Encounter", "class", [{"code": "AMB"}], "$.class"),
    ("Encounter", "period", "2024-01-01", "$.period"),
    ("Encounter", "status", True, "$.status"),
    ("Condition", "code", "I63", "$.code"),
    ("Condition", "code", {"coding": {"code": "I63"}}, "$.code.coding"),
    ("Condition", "onsetDateTime", {"start": "2024"}, "$.onsetDateTime"),
    ("Condition", "subject", "Patient/1", "$.subject"),
    ("Observation", "valueQuantity", 7.1, "$.valueQuantity"),
    ("Observation", "valueQuantity", {"value": "7.1"}, "$.valueQuantity.value"),
    ("Observation", "valueString", 7, "$.valueString"),
    ("Observation", "component", [{"valueQuantity": {"value": True}}], "$.component[0].valueQuantity.value"),
    ("Observation", "valueInteger", 1.5, "$.valueInteger"),
    ("MedicationRequest", "dosageInstruction", [{"text": ["Secret"]}], "$.dosageInstruction[0].text"),
    ("Claim", "total", {"value": "12.00"}, "$.total.value"),
]


@pytest.mark.parametrize(("kind", "element", "value", "path"), CLASHES)
def test_no_type_clash_turns_silently_into_null(kind: str, element: str, value: object, path: str) -> None:
    reason, detail = refused(json.dumps({"resourceType": kind, "id": "a", element: value}))
    assert reason == "wrong-type"
    assert detail.startswith("Expected `") and path in detail
    assert "Secret" not in detail and "13800000000" not in detail


def test_numbers_stay_as_they_were_written() -> None:
    raw = b'{ "resourceType" : "Observation", "id":"a", "valueQuantity": { "value" : 1.50, "unit": "a  b" } }'
    text = b'{"resourceType":"Observation","id":"a","valueQuantity":{"value":1.50,"unit":"a  b"}}'
    assert check(raw, LIMITS).text == text


def test_a_number_too_large_for_any_column_is_refused() -> None:
    raw = '{"resourceType":"Observation","id":"a","valueQuantity":{"value":1e400}}'
    assert refused(raw)[0] in {"out-of-range", "invalid-json"}


def test_a_duplicate_key_cannot_hide_behind_an_escaped_quote() -> None:
    raw = rb'{"resourceType":"Basic","id":"a","x":1.0,"x":2.0,"y":"\u0022:","z":"\"\u003a"}'
    assert refused(raw)[0] == "duplicate-key"


def test_an_escaped_quote_before_a_colon_is_no_duplicate_key() -> None:
    raw = rb'{"resourceType":"Basic","id":"a","x":1.0,"y":"\u0022:","z":"\"\u003a"}'
    assert check(raw, LIMITS).text == raw


def test_null_is_allowed_where_a_list_of_primitives_has_an_extension() -> None:
    raw = b'{"resourceType":"Patient","id":"a","name":[{"given":[null,"B"],"_given":[{"id":"x"},null]}]}'
    assert check(raw, LIMITS).patient_id == "a"
    assert refused(b'{"resourceType":"Patient","id":"a","name":[{"given":[null,"B"]}]}')[0] == "wrong-type"


@pytest.mark.parametrize("opening", [b'{"x":', b'{"x":['])
@pytest.mark.parametrize("levels", [300, 5_000, 100_000])
def test_deep_nesting_is_refused_and_breaks_nothing(opening: bytes, levels: int) -> None:
    closing = opening.replace(b'"x":', b"")[::-1].translate(bytes.maketrans(b"{[", b"}]"))
    raw = b'{"resourceType":"Basic","id":"a","y":' + opening * levels + b"1" + closing * levels + b"}"
    assert refused(raw)[0] == "too-deep"


def test_many_brackets_that_are_not_deep_are_accepted() -> None:
    extension = [{"url": "u{[" + "}" * 20, "valueString": "[" * 30} for _ in range(2_000)]
    raw = json.dumps({"resourceType": "Basic", "id": "a", "extension": extension}).encode()
    assert check(raw, LIMITS).resource_id == "a"


def test_a_resource_beyond_the_limit_is_too_large() -> None:
    raw = b'{"resourceType":"Basic","id":"a","x":"' + b"x" * 1_000 + b'"}'
    assert refused(raw, Limits(resource_bytes=1_000))[0] == "too-large"


@pytest.mark.parametrize(
    ("element", "reference", "patient"),
    [
        ("subject", "Patient/p1", "p1"),
        ("patient", "https://example.org/fhir/Patient/p1/_history/3", "p1"),
        ("beneficiary", "Patient/p1", "p1"),
        ("subject", "Group/p1", None),
        ("subject", "Patient?identifier=x|1", "?identifier=x|1"),
        ("subject", "https://h.example/fhir/Patient?identifier=x%7C1", "?identifier=x|1"),
        ("subject", "Patient?name=x", None),
        ("subject", "Group?identifier=x|1", None),
        ("subject", "OtherPatient/p1", None),
    ],
)
def test_the_patient_is_found_where_one_is_named(element: str, reference: str, patient: str | None) -> None:
    raw = json.dumps({"resourceType": "Basic", "id": "a", element: {"reference": reference}}).encode()
    assert check(raw, LIMITS).patient_id == patient


def test_r4b_types_are_accepted_beside_the_146_concrete_ones_of_r4() -> None:
    assert len(R4) == 146
    assert "Citation" in RESOURCE_TYPES and "Citation" not in R4
    assert check(b'{"resourceType":"Citation","id":"a"}', LIMITS).resource_type == "Citation"


PATIENT = {
    "resourceType": "Patient",
    "id": "p9",
    "identifier": [{"use": "old"}, {"system": "urn:oid:1.2", "value": "7"}],
}


@pytest.mark.parametrize(
    ("subject", "patient"),
    [
        ({"type": "Patient", "identifier": {"system": "urn:oid:1.2", "value": "7"}}, "?identifier=urn:oid:1.2|7"),
        ({"identifier": {"value": "7"}}, "?identifier=7"),
        ({"type": "Group", "identifier": {"system": "urn:oid:1.2", "value": "7"}}, None),
        ({"reference": "#p9"}, "?identifier=urn:oid:1.2|7"),
        ({"reference": "#p8"}, None),
        ({"reference": "Patient/a", "identifier": {"value": "7"}}, "a"),
        ({"reference": "urn:uuid:0", "identifier": {"value": "7"}}, "?identifier=7"),
    ],
)
def test_a_patient_is_named_by_an_identifier_too(subject: dict[str, object], patient: str | None) -> None:
    raw = json.dumps({"resourceType": "Basic", "id": "a", "subject": subject, "contained": [PATIENT]}).encode()
    assert check(raw, LIMITS).patient_id == patient


def test_the_moment_of_the_last_change_counts_its_offset() -> None:
    def updated(when: str | None) -> int | None:
        meta = {} if when is None else {"meta": {"lastUpdated": when}}
        return check(json.dumps({"resourceType": "Basic", "id": "a", **meta}).encode(), LIMITS).updated

    assert updated("2024-06-02T01:00:00+08:00") == updated("2024-06-01T17:00:00.000Z")
    assert updated(None) is None
