from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.access.conftest import STAGES, Region, begin
from xinglin.access import Gate, write_consent
from xinglin.access.consent.commitments import GRANTED, PUTTING, WITHDRAWING, WITHDRAWN
from xinglin.access.consent.store import ConsentStore
from xinglin.core.errors import BadInput, Conflict, LedgerUnavailable, NotFound
from xinglin.core.intent import Intent
from xinglin.ledger.embedded import EmbeddedLedger
from xinglin.ledger.keys import consent_key
from xinglin.ledger.port import Receipt
from xinglin.ledger.transactions import cbor

GRANT = write_consent(17, "2026-01-01", permit=True, purposes=("HRESCH",))
DENIAL = write_consent(17, "2026-01-01", permit=False, purposes=("TREAT",))


class Unreachable(EmbeddedLedger):
    """A ledger that takes nothing in, or cannot be asked at all."""

    deaf = False

    def submit(self, transactions: Sequence[bytes], wait: float | None = None) -> list[Receipt]:
        raise LedgerUnavailable("cut off", retry=True)

    def mark(self) -> object:
        if self.deaf:
            raise LedgerUnavailable("cut off", retry=True)
        return super().mark()


def research(region: Region) -> str:
    return region.read("analyst", 17, "HRESCH").decision.reason


def test_a_grant_counts_from_its_commit_and_no_longer_than_its_withdrawal(region: Region) -> None:
    assert research(region) == "consent-missing"
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    assert kept.state == GRANTED and research(region) == "permitted"
    assert region.gate.consents.withdraw(kept.handle, region.ledger, region.signer).state == WITHDRAWN
    assert research(region) == "consent-missing"
    found = cbor.decode(region.ledger.state(consent_key(kept.handle)) or b"")
    assert found["withdrawn"] and found["commitment"] == kept.commitment


def test_the_ledger_learns_nothing_of_the_person(region: Region) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    logged = region.ledger.state(consent_key(kept.handle)) or b""
    assert b"HRESCH" not in logged and b"17" not in logged and kept.salt not in logged
    again = region.gate.consents.put(GRANT, region.ledger, region.signer)
    assert again.commitment != kept.commitment and again.handle != kept.handle


def test_a_grant_that_did_not_reach_the_ledger_permits_nothing_until_it_does(region: Region) -> None:
    cut = Unreachable(region.home / "ledger", region.gate._clock)
    kept = region.gate.consents.put(GRANT, cut, region.signer)
    assert kept.state == PUTTING and research(region) == "consent-missing"
    assert region.gate.consents.submit_pending(region.ledger, region.signer) == 0
    assert region.gate.consents.get(kept.handle).state == GRANTED and research(region) == "permitted"


def test_a_withdrawal_refuses_at_once_even_where_the_ledger_cannot_be_reached(region: Region) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    assert research(region) == "permitted"
    cut = Unreachable(region.home / "ledger", region.gate._clock)
    assert region.gate.consents.withdraw(kept.handle, cut, region.signer).state == WITHDRAWING
    assert research(region) == "consent-missing"
    assert region.gate.consents.submit_pending(region.ledger, region.signer) == 0
    assert region.gate.consents.get(kept.handle).state == WITHDRAWN


def test_a_denial_holds_until_its_withdrawal_is_committed(region: Region) -> None:
    cut = Unreachable(region.home / "ledger", region.gate._clock)
    kept = region.gate.consents.put(DENIAL, cut, region.signer)
    assert region.read("clinician", 17, "TREAT").decision.reason == "consent-denies"
    region.gate.consents.submit_pending(region.ledger, region.signer)
    region.gate.consents.withdraw(kept.handle, cut, region.signer)
    assert region.read("clinician", 17, "TREAT").decision.reason == "consent-denies"
    region.gate.consents.submit_pending(region.ledger, region.signer)
    assert region.read("clinician", 17, "TREAT").decision.reason == "permitted"


def test_what_was_withdrawn_before_the_ledger_knew_it_never_reaches_it(region: Region) -> None:
    cut = Unreachable(region.home / "ledger", region.gate._clock)
    kept = region.gate.consents.put(GRANT, cut, region.signer)
    assert region.gate.consents.withdraw(kept.handle, cut, region.signer).state == WITHDRAWN
    region.gate.consents.submit_pending(region.ledger, region.signer)
    assert region.ledger.state(consent_key(kept.handle)) is None and research(region) == "consent-missing"


def test_a_ledger_that_cannot_be_asked_confirms_nothing_and_stops_no_treatment(region: Region) -> None:
    region.gate.consents.put(GRANT, region.ledger, region.signer)
    cut = Unreachable(region.home / "ledger", region.gate._clock)
    gate = Gate.open(region.home / "access", cut, region.gate._clock, lambda _, person: person == 17)
    region.gate.close()
    region.gate = gate
    assert research(region) == "permitted"
    cut.deaf = True
    verdict = region.read("analyst", 17, "HRESCH")
    assert (verdict.decision.reason, verdict.height) == ("consent-missing", -1)
    assert region.read("clinician", 17, "TREAT").decision.permit
    cut.deaf = False
    assert research(region) == "permitted"


def test_a_withdrawal_through_another_node_is_seen_at_the_next_decision(region: Region) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    assert research(region) == "permitted"
    node = EmbeddedLedger(region.home / "ledger", region.gate._clock)
    body = {"handle": bytes.fromhex(kept.handle), "previous": kept.commitment}
    receipt = node.submit([region.signer.sign("ConsentWithdraw", body)])[0]
    verdict = region.read("analyst", 17, "HRESCH")
    assert verdict.decision.reason == "consent-missing" and verdict.height == receipt.height


def test_a_grant_whose_text_was_changed_here_permits_nothing(region: Region) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    with sqlite3.connect(region.home / "access" / "consents.sqlite") as file:
        text = kept.text.replace(b'"2026-01-01"', b'"2026-01-02"')
        file.execute("UPDATE consent SET text = ? WHERE handle = ?", [text, kept.handle])
    region.gate = Gate.open(region.home / "access", region.ledger, region.gate._clock)
    assert research(region) == "consent-missing"


def test_a_consent_that_cannot_be_understood_is_not_kept(region: Region) -> None:
    with pytest.raises(BadInput):
        region.gate.consents.put({**GRANT, "status": "draft"}, region.ledger, region.signer)
    assert region.gate.consents.all() == []


def test_a_consent_that_is_not_there_cannot_be_withdrawn(region: Region) -> None:
    with pytest.raises(NotFound):
        region.gate.consents.withdraw("00" * 16, region.ledger, region.signer)


def test_a_refusal_of_the_ledger_is_said_and_permits_nothing(region: Region) -> None:
    stranger = type(region.signer)("mercy", bytes(32), "east", region.home / "strange.sqlite", region.gate._clock)
    with pytest.raises(Conflict, match="ledger refused"):
        region.gate.consents.put(GRANT, region.ledger, stranger)
    assert research(region) == "consent-missing"


def test_denials_follow_a_person_who_was_merged_and_grants_do_not(region: Region) -> None:
    region.gate.consents.put(GRANT, region.ledger, region.signer)
    region.gate.consents.put(DENIAL, region.ledger, region.signer)
    assert research(region) == "permitted"
    assert region.gate.consents.reassign(lambda named: dict.fromkeys(named, 3)) == 2
    assert region.read("clinician", 3, "TREAT").decision.reason == "consent-denies"
    assert region.read("analyst", 3, "HRESCH").decision.reason == "consent-missing"
    assert region.read("clinician", 17, "TREAT").decision.permit and research(region) == "consent-missing"
    assert region.gate.consents.reassign(lambda _: {}) == 0
    assert region.gate.consents.reassign(lambda named: {one: one for one in named}) == 2
    assert region.read("clinician", 17, "TREAT").decision.reason == "consent-denies"


def test_forgetting_a_person_destroys_texts_and_salts(region: Region) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    assert region.gate.consents.erase(17) == 1 and region.gate.consents.of(17) == []
    assert research(region) == "consent-missing"
    for path in (region.home / "access").glob("consents.sqlite*"):
        assert kept.salt not in path.read_bytes()


def test_who_has_no_consent_is_told_from_who_has_whatever_other_processes_change(region: Region) -> None:
    store, other = region.gate.consents, ConsentStore(region.home / "access")
    persons = [0, 1, 5, 17, 2**63 - 1, *range(1000, 1090)]

    def check() -> None:
        for _ in range(3):
            for person in (*persons, -(2**63), -1, 2, 16, 1090, 2**62):
                assert store.of(person) == store._rows("person = ?", person)

    check()
    assert store._index.lacks(17) and store._index.whole
    for person in persons:
        other.put({**GRANT, "patient": {"reference": f"Patient/{person}"}}, region.ledger, region.signer)
        assert len(store.of(person)) == 1
    check()
    assert store._index.whole and store._index.lacks(16) and not any(map(store._index.lacks, persons))
    other.reassign(lambda named: {17: 16})
    assert store.of(17) == [] and len(store.of(16)) == 1
    other.erase(16)
    check()
    assert store.of(16) == []
    with sqlite3.connect(region.home / "access" / "consents.sqlite") as file:
        file.execute("UPDATE consent SET person = ? WHERE person = 0", [-(2**63)])
    fresh = ConsentStore(region.home / "access")
    assert [len(fresh.of(person)) for person in (1, 5, 1000, -1, -(2**63))] == [1, 1, 1, 0, 1]
    assert fresh._index.whole and len(fresh.of(-(2**63))) == 1


def test_only_the_owner_reads_the_consents(region: Region) -> None:
    region.gate.consents.put(GRANT, region.ledger, region.signer)
    for path in (region.home / "access").glob("consents*"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_number_left_odd_by_a_dead_process_is_mended(tmp_path: Path) -> None:
    store = ConsentStore(tmp_path)
    before = store.version()
    (tmp_path / "consents.version").write_bytes((before | 1).to_bytes(8, "little").ljust(4096, b"\0"))
    assert ConsentStore(tmp_path).version() > before | 1 and store.version() % 2 == 0


@pytest.mark.parametrize("where", ["here", "at another node"])
def test_no_read_is_authorised_against_a_consent_after_its_withdrawal(region: Region, where: str) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    credential = region.credential("analyst")
    intent = Intent("read", STAGES, purpose="HRESCH", person=17)
    permits: list[int] = []
    late: list[str] = []
    returned, ready, done = threading.Event(), threading.Barrier(101), threading.Event()

    def reader() -> None:
        ready.wait()
        after = 0
        while after < 3:
            withdrawn = returned.is_set()
            verdict = region.gate.decide(credential, intent)
            if verdict.decision.permit:
                permits.append(verdict.height)
                if withdrawn:
                    late.append(verdict.event)
            after += withdrawn

    readers = [threading.Thread(target=reader) for _ in range(100)]
    for one in readers:
        one.start()
    ready.wait()
    done.wait(0.3)
    if where == "here":
        region.gate.consents.withdraw(kept.handle, region.ledger, region.signer)
    else:
        node = EmbeddedLedger(region.home / "ledger", region.gate._clock)
        body = {"handle": bytes.fromhex(kept.handle), "previous": kept.commitment}
        node.submit([region.signer.sign("ConsentWithdraw", body)])
    returned.set()
    for one in readers:
        one.join()
    digest = cbor.decode(region.ledger.state(consent_key(kept.handle)) or b"")["transaction"]
    logged = region.ledger.transaction(digest)
    assert logged is not None and permits and not late
    assert max(permits) < logged.height


def read_until_refused(home: Path, ready: object, heights: object) -> None:
    region = begin(home)
    ready.wait()  # type: ignore[attr-defined]
    found = []
    for _ in range(3000):
        verdict = region.read("analyst", 17, "HRESCH")
        if not verdict.decision.permit:
            break
        found.append(verdict.height)
    heights.put(max(found, default=-1))  # type: ignore[attr-defined]
    region.gate.close()


def test_other_processes_stop_reading_when_a_consent_is_withdrawn_elsewhere(region: Region) -> None:
    kept = region.gate.consents.put(GRANT, region.ledger, region.signer)
    spawn = multiprocessing.get_context("spawn")
    ready, heights = spawn.Barrier(3), spawn.Queue()
    readers = [spawn.Process(target=read_until_refused, args=(region.home, ready, heights)) for _ in range(2)]
    for one in readers:
        one.start()
    ready.wait()
    region.gate.consents.withdraw(kept.handle, region.ledger, region.signer)
    digest = cbor.decode(region.ledger.state(consent_key(kept.handle)) or b"")["transaction"]
    logged = region.ledger.transaction(digest)
    for one in readers:
        assert logged is not None and heights.get(timeout=60) < logged.height
        one.join()
