from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.access.consent.resource import compile_consent, write_consent
from xinglin.access.consent.rule import ActiveConsent
from xinglin.access.credentials.actor import ROLES, Actor
from xinglin.access.decisions import decision
from xinglin.access.decisions.decision import Decision, Facts, Request, decide
from xinglin.access.terms.data_classes import EVERY_CLASS
from xinglin.access.terms.purposes import PARENTS
from xinglin.core.intent import Intent

STAGES = frozenset({"landing", "identity"})


def actor(*roles: str, person: int | None = None, institution: str = "mercy") -> Actor:
    return Actor("a", roles, institution, person, datetime(2030, 1, 1, tzinfo=UTC), "k", "c")


def read(who: Actor, person: int = 17, purpose: str = "TREAT", **more: object) -> Request:
    return Request(who, Intent("read", STAGES, purpose=purpose, person=person, **more))  # type: ignore[arg-type]


def counted(
    permit: bool, purpose: str, *, confirmed: bool = True, person: int = 17, **narrowed: object
) -> ActiveConsent:
    resource = write_consent(person, "2026-01-01", permit=permit, purposes=(purpose,), narrowed=narrowed)
    return ActiveConsent("h", compile_consent(resource), confirmed)


def observations() -> list[dict[str, str]]:
    return [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]


def test_a_patient_reads_the_own_record_and_no_other() -> None:
    patient = actor("patient", person=17)
    assert decide(read(patient, purpose="PATRQT"), Facts(0)).permit
    refused = decide(read(patient, 18, "PATRQT"), Facts(0))
    assert (refused.permit, refused.reason) == (False, decision.NOT_OWN_RECORD)


def test_a_clinician_reads_whom_the_institution_treats() -> None:
    assert decide(read(actor("clinician")), Facts(0, related=True)).gives == EVERY_CLASS
    assert decide(read(actor("clinician")), Facts(0)).reason == decision.NO_RELATION


def test_breaking_the_glass_needs_a_reason_and_goes_before_relation_and_consent() -> None:
    facts = Facts(0, consents=(counted(False, "TREAT"),))
    for purpose in ("BTG", "ETREAT", "TREAT"):
        found = decide(read(actor("clinician"), purpose=purpose, break_glass="unconscious"), facts)
        assert (found.permit, found.reason, found.gives) == (True, decision.BREAK_GLASS, EVERY_CLASS)
    for reason in (None, "", "  \n"):
        found = decide(read(actor("clinician"), purpose="BTG", break_glass=reason), Facts(0, related=True))
        assert (found.permit, found.reason) == (False, decision.NO_REASON_GIVEN)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "clinician"])
def test_only_clinicians_break_the_glass(role: str) -> None:
    assert not decide(read(actor(role, person=1), purpose="BTG", break_glass="why"), Facts(0, related=True)).permit


def test_a_denial_goes_before_treatment() -> None:
    found = decide(read(actor("clinician")), Facts(0, True, (counted(False, "TREAT"),)))
    assert (found.permit, found.reason, found.consents) == (False, decision.CONSENT_DENIES, ("h",))


def test_a_denial_that_the_ledger_does_not_hold_yet_denies() -> None:
    assert not decide(read(actor("clinician")), Facts(0, True, (counted(False, "TREAT", confirmed=False),))).permit


def test_a_denied_class_is_left_out_where_the_rest_is_of_use() -> None:
    facts = Facts(0, True, (counted(False, "TREAT", **{"class": observations()}),))
    request = read(actor("clinician"))
    assert not decide(request, facts).permit
    found = decide(Request(request.actor, request.intent, partial=True), facts)
    assert found.permit and found.gives == EVERY_CLASS - {"Observation"}


def test_research_on_one_person_needs_a_grant_that_the_ledger_holds() -> None:
    request = read(actor("analyst"), purpose="HRESCH")
    assert decide(request, Facts(0)).reason == decision.CONSENT_MISSING
    assert decide(request, Facts(0, consents=(counted(True, "HRESCH", confirmed=False),))).reason == (
        decision.CONSENT_MISSING
    )
    assert decide(request, Facts(0, consents=(counted(True, "HRESCH"),))).permit
    both = (counted(True, "HRESCH"), counted(False, "HRESCH"))
    assert decide(request, Facts(0, consents=both)).reason == decision.CONSENT_DENIES
    assert not decide(request, Facts(0, consents=(counted(True, "TREAT"),))).permit


def test_population_research_leaves_out_who_denied_it() -> None:
    consents = (counted(False, "HRESCH", person=3), counted(False, "HMARKT", person=4), counted(True, "HRESCH"))
    intent = Intent("ask", frozenset({"mart"}), purpose="HRESCH", population=True)
    found = decide(Request(actor("analyst"), intent), Facts(0, consents=consents))
    assert found.permit and found.without == {3}


def test_a_purpose_that_nobody_knows_is_refused() -> None:
    assert decide(read(actor("clinician"), purpose="FUN"), Facts(0, True)).reason == decision.UNKNOWN_PURPOSE


def test_a_purpose_outside_the_role_is_refused() -> None:
    assert decide(read(actor("clinician"), purpose="HRESCH"), Facts(0, True)).reason == decision.OUTSIDE_ROLE


def test_a_stage_outside_the_role_is_refused() -> None:
    intent = Intent("read", frozenset({"sites"}), purpose="TREAT", person=17)
    assert decide(Request(actor("clinician"), intent), Facts(0, True)).reason == decision.OUTSIDE_ROLE
    writing = Intent("read", STAGES, frozenset({"landing"}), purpose="TREAT", person=17)
    assert not decide(Request(actor("clinician"), writing), Facts(0, True)).permit


def test_an_agent_brings_records_of_the_own_site_only() -> None:
    def bring(*sites: str) -> str:
        intent = Intent("ingest", frozenset({"landing"}), frozenset({"landing"}), "HOPERAT", sites=frozenset(sites))
        return decide(Request(actor("site-agent"), intent), Facts(0)).reason

    assert bring("mercy") == decision.PERMITTED
    assert bring("other") == bring("mercy", "other") == bring() == decision.OTHER_SITE


def test_names_of_a_population_are_for_stewards_and_not_for_analysts() -> None:
    intent = Intent("view", STAGES, purpose="HRESCH", population=True)
    assert decide(Request(actor("analyst"), intent), Facts(0)).reason == decision.OUTSIDE_ROLE
    found = decide(Request(actor("steward"), intent), Facts(0, consents=(counted(False, "HRESCH", person=3),)))
    assert found.permit and found.without == {3}


def test_one_persons_permit_does_not_open_the_population() -> None:
    intent = Intent("read", STAGES, purpose="TREAT", person=17, population=True)
    assert not decide(Request(actor("clinician"), intent), Facts(0, True)).permit


def test_a_data_class_that_does_not_exist_is_refused() -> None:
    assert not decide(read(actor("clinician"), data_classes=frozenset({"Everything"})), Facts(0, True)).permit


requests = st.builds(
    Request,
    st.builds(lambda role, own: actor(role, person=own), st.sampled_from(ROLES), st.sampled_from([None, 17, 18])),
    st.builds(
        Intent,
        st.sampled_from(["read", "ask", "extract", "work", "log", "erase", "unheard-of"]),
        st.frozensets(st.sampled_from(["landing", "identity", "mart"])),
        st.frozensets(st.sampled_from(["landing", "mart"])),
        st.sampled_from([*PARENTS, "FUN"]),
        st.sampled_from([None, 17]),
        st.booleans(),
        st.frozensets(st.sampled_from(["Observation", "HIV", "Nonsense"])),
        st.sampled_from([None, "", "unconscious"]),
    ),
    partial=st.booleans(),
)
worlds = st.builds(Facts, st.just(0.0), st.booleans(), st.sampled_from([(), (counted(False, "TREAT"),)]))


@given(requests, worlds)
def test_a_refusal_gives_nothing_and_a_permit_nothing_that_was_not_asked_for(request: Request, facts: Facts) -> None:
    found = decide(request, facts)
    assert isinstance(found, Decision) and found.reason
    if found.permit:
        assert found.reason in {decision.PERMITTED, decision.BREAK_GLASS}
        assert found.gives <= decision.requested_classes(request.intent)
        role = request.actor.roles[0] if request.actor else ""
        assert role != "clinician" or facts.related or request.emergency
        assert role != "patient" or (request.actor and request.actor.person == request.intent.person)
        assert role in {"operator", "site-agent"} or not request.intent.writes
    else:
        assert not found.gives and not found.without


@given(requests, worlds)
def test_who_has_no_role_gets_nothing(request: Request, facts: Facts) -> None:
    assert not decide(Request(actor(), request.intent), facts).permit
    assert not decide(Request(None, request.intent), facts).permit
