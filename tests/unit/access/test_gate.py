from __future__ import annotations

import errno
import json
import os
from datetime import timedelta

import pytest

from tests.unit.access.conftest import NOW, STAGES, Region, related
from xinglin.access import Gate, revoke, write_consent
from xinglin.access.credentials import actor
from xinglin.access.credentials.actor import verify
from xinglin.access.credentials.issuers import load_issuers
from xinglin.core.clock import fixed_clock
from xinglin.core.errors import AccessDenied, StorageError
from xinglin.core.intent import Intent
from xinglin.core.permit import CLOSED

TREAT = Intent("read", STAGES, purpose="TREAT", person=17)


def test_a_permit_names_its_event_and_opens_what_was_asked_for(region: Region) -> None:
    permit = region.gate.authorise(region.credential("clinician"), TREAT)
    assert (permit.reads, permit.writes) == (STAGES, frozenset())
    event = json.loads(region.gate.log.event(permit.decision))
    assert event["id"] == permit.decision and event["outcome"] == "0"


def test_a_refusal_is_audited_and_names_nobody(region: Region) -> None:
    with pytest.raises(AccessDenied) as caught:
        region.gate.authorise(region.credential("clinician"), Intent("read", STAGES, purpose="TREAT", person=7_777_777))
    assert "7777777" not in str(caught.value) and "no-relation" in str(caught.value)
    events = region.gate.events_of(7_777_777)
    assert [json.loads(event)["outcomeDesc"] for event in events] == ["no-relation"]


@pytest.mark.parametrize("credential", [None, "", "forged.forged.forged"])
def test_without_a_credential_nothing_is_permitted_and_the_attempt_is_kept(
    region: Region, credential: str | None
) -> None:
    verdict = region.gate.decide(credential, TREAT)
    assert verdict.permit is CLOSED and not verdict.decision.permit
    assert verdict.decision.reason in {actor.NO_CREDENTIAL, actor.MALFORMED}
    assert len(region.gate.events_of(17)) == 1


def test_a_credential_that_is_known_ends_when_it_expires(region: Region) -> None:
    moments = [NOW]
    gate = Gate.open(region.home / "access", region.ledger, lambda: moments[0], related)
    credential = region.credential("clinician", hours=1)
    assert gate.decide(credential, TREAT).decision.permit
    moments[0] = NOW + timedelta(hours=1)
    assert gate.decide(credential, TREAT).decision.reason == actor.EXPIRED
    gate.close()


def test_a_credential_that_is_known_ends_when_it_is_revoked(region: Region) -> None:
    credential = region.credential("clinician")
    assert region.gate.decide(credential, TREAT).decision.permit
    identifier = verify(credential, load_issuers(region.home / "access"), NOW).credential
    revoke(region.home / "access", [identifier])
    assert region.gate.decide(credential, TREAT).decision.reason == actor.REVOKED


def test_broken_glass_is_flagged_and_listed(region: Region) -> None:
    intent = Intent("read", STAGES, purpose="TREAT", person=7000, break_glass="found unconscious")
    verdict = region.gate.decide(region.credential("clinician"), intent)
    region.read("clinician", 17, "TREAT")
    assert verdict.decision.reason == "break-glass"
    listed = [json.loads(event) for event in region.gate.log.emergencies()]
    assert [event["id"] for event in listed] == [verdict.event]
    assert "found unconscious" in json.dumps(listed[0]) and listed[0]["purposeOfEvent"][0]["coding"][0]["code"] == "BTG"


def test_a_population_is_read_without_those_who_denied(region: Region) -> None:
    ask = Intent("ask", frozenset({"mart"}), purpose="HRESCH", population=True)
    credential = region.credential("analyst")
    assert region.gate.decide(credential, ask).permit.without == frozenset()
    denial = write_consent(5, "2026-01-01", permit=False, purposes=("HRESCH",))
    region.gate.consents.put(denial, region.ledger, region.signer)
    assert region.gate.decide(credential, ask).permit.without == {5}


def test_a_consent_ends_with_its_period(region: Region) -> None:
    grant = write_consent(17, "2026-01-01", permit=True, narrowed={"period": {"end": "2026-03-01"}})
    region.gate.consents.put(grant, region.ledger, region.signer)
    assert region.read("analyst", 17, "HRESCH").decision.permit
    later = Gate.open(region.home / "access", region.ledger, fixed_clock(NOW + timedelta(hours=12)), related)
    intent = Intent("read", STAGES, purpose="HRESCH", person=17)
    assert not later.decide(region.credential("analyst", hours=24), intent).decision.permit
    later.close()


def test_where_the_decision_cannot_be_written_down_there_is_none(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = region.credential("clinician")
    region.gate.decide(credential, TREAT)

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("xinglin.access.audit.stream.os.write", full)
        with pytest.raises(StorageError):
            region.gate.authorise(credential, TREAT)
    region.gate.authorise(credential, TREAT)
    assert len(region.gate.events_of(17)) == 2 and region.gate.log.findings() == []


def test_a_person_is_named_by_nothing_on_the_disk(region: Region) -> None:
    person = 987_654_321_012
    region.read("clinician", person, "TREAT")
    region.gate.close()
    for path in (region.home / "access").rglob("*"):
        assert str(person) not in path.name
        assert not path.is_file() or str(person).encode() not in path.read_bytes()


def test_two_gates_of_one_region_name_a_person_alike_and_two_regions_do_not(region: Region, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    other = Gate.open(region.home / "access", region.ledger, fixed_clock(NOW))
    assert other.reference(17) == region.gate.reference(17) != region.gate.reference(18)
    elsewhere = Gate.open(tmp_path_factory.mktemp("west"), None, fixed_clock(NOW))
    assert elsewhere.reference(17) != region.gate.reference(17)


def test_everything_of_access_is_the_owners_alone(region: Region) -> None:
    region.gate.consents.put(write_consent(1, "2026-01-01", permit=False), region.ledger, region.signer)
    region.read("clinician", 1, "TREAT")
    region.gate.close()
    assert [path for path in (region.home / "access").rglob("*") if path.stat().st_mode & 0o077] == []
    assert (region.home / "access").stat().st_mode & 0o777 == 0o700
