"""Each event against the constraints of its IHE BALP 1.1.3 profile, and against the project's own FHIR check."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.access.conftest import STAGES, Region
from xinglin.access import write_consent
from xinglin.access.audit.recorded import micros_of
from xinglin.access.audit.segments import person_of
from xinglin.core.fhir_times import instant
from xinglin.core.intent import Intent
from xinglin.sources.fhir.check import check
from xinglin.sources.limits import Limits

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DCM = "http://dicom.nema.org/resources/ontology/DCM"
MART = frozenset({"mart"})


def decided(region: Region, case: str) -> dict[str, Any]:
    """The event of one kind of decision."""
    if case == "denied by consent":
        denial = write_consent(17, "2026-01-01", permit=False, purposes=("TREAT",))
        region.gate.consents.put(denial, region.ledger, region.signer)
    if case == "disclosed":
        grant = write_consent(17, "2026-01-01", permit=True, purposes=("HRESCH",))
        region.gate.consents.put(grant, region.ledger, region.signer)
    role, intent = {
        "read": ("clinician", Intent("read", STAGES, purpose="TREAT", person=17)),
        "disclosed": ("analyst", Intent("read", STAGES, purpose="HRESCH", person=17)),
        "query": ("analyst", Intent("ask", MART, purpose="HRESCH", population=True)),
        "export": ("analyst", Intent("extract", MART, purpose="HRESCH", population=True)),
        "broken glass": ("clinician", Intent("read", STAGES, purpose="BTG", person=7000, break_glass="why")),
        "denied by consent": ("clinician", Intent("read", STAGES, purpose="TREAT", person=17)),
        "denied by role": ("auditor", Intent("read", STAGES, purpose="TREAT", person=17)),
        "unknown": ("", Intent("read", STAGES, purpose="NONSENSE", person=17)),
        "administration": ("operator", Intent("work", MART, MART, purpose="HSYSADMIN")),
    }[case]
    verdict = region.gate.decide(region.credential(role, name="dr-lin") if role else None, intent)
    text = region.gate.log.event(verdict.event)
    check(text, Limits())
    found: dict[str, Any] = json.loads(text)
    assert found["outcome"] == ("0" if verdict.decision.permit else "8")
    assert found["outcomeDesc"] == verdict.decision.reason
    return found


CASES = (
    "read",
    "disclosed",
    "query",
    "export",
    "broken glass",
    "denied by consent",
    "denied by role",
    "unknown",
    "administration",
)


def agents(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {agent["type"]["coding"][0]["code"]: agent for agent in event["agent"]}


def entities(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["type"]["code"]: entity for entity in event["entity"]}


@pytest.mark.parametrize("case", CASES)
def test_every_event_is_a_whole_audit_event(region: Region, case: str) -> None:
    event = decided(region, case)
    assert event["resourceType"] == "AuditEvent" and micros_of(json.dumps(event).replace(" ", "").encode()) > 0
    assert event["action"] in {"C", "R", "U", "D", "E"} and event["source"]["observer"] and event["type"]["code"]
    assert sum(agent["requestor"] for agent in event["agent"]) == 1
    for entity in event["entity"]:
        assert not {"name", "query"} <= set(entity)
        assert all({"type", "valueString"} == set(detail) for detail in entity.get("detail", []))


@pytest.mark.parametrize("case", CASES)
def test_an_event_holds_no_value_and_no_number_of_a_person(region: Region, case: str) -> None:
    event = decided(region, case)
    for entity in event["entity"]:
        reference = entity.get("what", {}).get("reference", "")
        assert not reference.startswith("Patient/") or len(reference) == len("Patient/") + 32


def test_a_read_is_a_patient_read(region: Region) -> None:
    event = decided(region, "read")
    assert event["meta"]["profile"] == [PROFILES + "PatientRead"]
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == ("rest", "read", "R")
    found = agents(event)
    assert found["110152"]["network"] and found["110153"]["network"] and found["IRCP"]["requestor"]
    assert found["IRCP"]["who"]["identifier"]["value"] == "dr-lin" and "network" not in found["IRCP"]
    assert entities(event)["1"]["role"]["code"] == "1" and entities(event)["2"]["role"]["code"] == "4"
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"


def test_a_read_for_research_is_a_disclosure(region: Region) -> None:
    event = decided(region, "disclosed")
    assert event["meta"]["profile"] == [PROFILES + "PrivacyDisclosure.Source"]
    assert event["type"] == {"system": DCM, "code": "110106"} and event["subtype"][0]["code"] == "disclose"
    assert agents(event)["110153"]["who"] == event["source"]["observer"]
    assert entities(event)["Consent"]["what"]["reference"].startswith("Consent/")


def test_a_question_to_the_mart_is_a_query(region: Region) -> None:
    event = decided(region, "query")
    assert event["meta"]["profile"] == [PROFILES + "Query"]
    query = entities(event)["2"]
    assert query["role"]["code"] == "24" and query["query"] and not {"what", "detail", "lifecycle"} & set(query)
    assert agents(event)["110153"]["who"] == {"display": "xinglin"}


def test_an_export_is_one_without_a_patient(region: Region) -> None:
    event = decided(region, "export")
    assert event["type"]["code"] == "110106" and "meta" not in event and "1" not in entities(event)


def test_broken_glass_is_a_security_alert(region: Region) -> None:
    event = decided(region, "broken glass")
    assert (event["type"]["code"], event["subtype"][0]["code"]) == ("110113", "110127")


def test_a_refusal_by_consent_is_an_authorization_decision(region: Region) -> None:
    event = decided(region, "denied by consent")
    assert event["meta"]["profile"] == [PROFILES + "AuthZconsent"]
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == ("110113", "AuthZ-Consent", "E")
    assert set(agents(event)) == {"110150", "IRCP", "PROV", "authserver"}
    assert agents(event)["authserver"]["who"] == event["source"]["observer"]
    assert [entity["type"]["code"] for entity in event["entity"]] == ["1", "Consent"]


def test_a_refusal_by_role_claims_no_profile_that_asks_for_a_consent(region: Region) -> None:
    for case in ("denied by role", "unknown", "administration"):
        event = decided(region, case)
        assert event["subtype"][0]["code"] == "AuthZ-Role" and "meta" not in event
    assert agents(decided(region, "unknown"))["IRCP"]["who"] == {"display": "unknown"}
    assert "purposeOfEvent" not in decided(region, "unknown")


def test_words_of_a_reason_cannot_break_the_event(region: Region) -> None:
    reason = 'line\nbreak "quoted" \\ "reference":"Patient/' + "0" * 32 + '"'
    intent = Intent("read", STAGES, purpose="BTG", person=7000, break_glass=reason)
    verdict = region.gate.decide(region.credential("clinician", name='dr "x"\n'), intent)
    text = region.gate.log.event(verdict.event)
    assert b"\n" not in text and reason.strip() in [
        detail["valueString"] for detail in entities(json.loads(text))["2"]["detail"]
    ]
    assert person_of(text).hex() == region.gate.reference(7000)


def test_instants_keep_their_microseconds() -> None:
    for micros in (0, 1, 999_999, 1_772_323_200_123_456):
        assert micros_of(b'"recorded":"%s"' % instant(micros).encode()) == micros
    assert micros_of(b"{}") == 0 and micros_of(b'"recorded":"soon"') == 0
