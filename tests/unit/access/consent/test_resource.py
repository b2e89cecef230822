from __future__ import annotations

import hashlib
from typing import Any

import pytest

from xinglin.access.consent.resource import canonical, commitment, compile_consent, write_consent
from xinglin.core.errors import BadInput

GOOD = write_consent(17, "2026-03-01", permit=False, purposes=("HRESCH",))


def changed(**elements: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **elements}.items() if value is not None}


def narrowed(**elements: Any) -> dict[str, Any]:
    return changed(provision={"type": "deny", **elements})


@pytest.mark.parametrize(
    "resource",
    [
        changed(resourceType="Contract"),
        changed(status="draft"),
        changed(status=None),
        changed(scope=None),
        changed(scope={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "adr"}]}),
        changed(category=None),
        changed(category=[]),
        changed(dateTime=None),
        changed(policyRule=None),
        changed(modifierExtension=[{"url": "urn:not"}]),
        changed(patient=None),
        changed(patient={"reference": "Patient/abc"}),
        changed(patient={"reference": "Patient/017"}),
        changed(patient={"reference": "Group/17"}),
        changed(patient={"reference": "Patient/17/_history/1"}),
        changed(provision=[]),
        narrowed(type="maybe"),
        narrowed(code=[{"coding": []}]),
        narrowed(dataPeriod={"start": "2026"}),
        narrowed(data=[{"meaning": "instance"}]),
        narrowed(modifierExtension=[]),
        narrowed(purpose=[]),
        narrowed(purpose=[{"system": "urn:other", "code": "TREAT"}]),
        narrowed(purpose=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "FUN"}]),
        narrowed(actor=[]),
        narrowed(actor=[{"role": {}}]),
        narrowed(actor=[{"reference": {"display": "the doctor"}}]),
        narrowed(action=[{"coding": [{"system": "urn:other", "code": "access"}]}]),
        narrowed(**{"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Nonsense"}]}),
        narrowed(
            securityLabel=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}],
            **{"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]},
        ),
        narrowed(provision=[{"period": {"start": "2026"}}]),
        narrowed(provision={"type": "permit"}),
    ],
)
def test_a_consent_that_is_not_understood_wholly_is_refused(resource: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        compile_consent(resource)


def test_provisions_that_never_end_are_refused() -> None:
    provision: dict[str, Any] = {"type": "deny"}
    for _ in range(40):
        provision = {"type": "permit", "provision": [provision]}
    with pytest.raises(BadInput):
        compile_consent(changed(provision=provision))


def test_a_consent_that_is_too_large_is_refused() -> None:
    with pytest.raises(BadInput):
        compile_consent(changed(policyRule={"text": "x" * 300_000}))


def test_a_number_that_has_no_one_text_is_refused() -> None:
    with pytest.raises(BadInput):
        canonical({"a": float("nan")})


def test_the_same_consent_has_the_same_text_in_whatever_order() -> None:
    assert canonical(GOOD) == canonical(dict(reversed(GOOD.items())))


def test_a_commitment_is_the_hash_of_salt_and_text() -> None:
    salt = bytes(range(32))
    assert commitment(salt, b"text") == hashlib.sha256(salt + b"text").digest()
    with pytest.raises(ValueError, match="32"):
        commitment(b"short", b"text")


def test_a_refusal_names_no_person() -> None:
    with pytest.raises(BadInput) as caught:
        compile_consent(changed(patient={"reference": "Patient/secret-name"}))
    assert "secret-name" not in str(caught.value)
