from __future__ import annotations

import pytest

from tests.ledgers import Chain, Desk, accesses, batch, consent, filled
from xinglin.ledger import Code, digest_of
from xinglin.ledger.transactions import cbor

WITHDRAW = {"handle": bytes(16), "previous": filled(1)}


def _state(chain: Chain, key: str) -> dict:
    return cbor.decode(chain.store.reader.state(key.encode()) or b"\xa0")


def test_batches_of_a_site_follow_each_other_without_a_gap(chain: Chain) -> None:
    desk = Desk()
    first, second = desk.sign("DataAnchor", batch(1)), desk.sign("DataAnchor", batch(2))
    assert chain.code(desk.sign("DataAnchor", batch(2))) is Code.WRONG_SEQUENCE
    assert chain.code(desk.sign("DataAnchor", batch(1, previous=filled(9)))) is Code.WRONG_PREVIOUS
    assert chain.codes(first, second) == [Code.OK, Code.OK]
    assert chain.code(desk.sign("DataAnchor", batch(3, previous=filled(1)))) is Code.WRONG_PREVIOUS
    assert chain.code(desk.sign("DataAnchor", batch(1))) is Code.ALREADY_ANCHORED
    assert chain.code(desk.sign("DataAnchor", {**batch(1), "manifest": filled(7)})) is Code.WRONG_SEQUENCE
    assert _state(chain, "site/lab") == {"institution": "hospital", "sequence": 2, "manifest": filled(2)}
    assert _state(chain, "data/lab/00000002")["transaction"] == digest_of(second)


def test_a_site_and_other_names_belong_to_the_institution_that_anchored_them_first(consortium: Chain) -> None:
    build = {"kind": "model", "name": "stroke", "inputs": [], "code": "1", "output": filled(1), "previous": None}
    backup = {"name": "nightly", "root": filled(1), "previous": None}
    bodies = [("DataAnchor", batch(1)), ("BuildAnchor", build), ("BackupAnchor", backup), ("AccessBatch", accesses(1))]
    later = [
        ("DataAnchor", batch(2)),
        ("BuildAnchor", {**build, "previous": filled(1)}),
        ("BackupAnchor", {**backup, "previous": filled(1)}),
        ("AccessBatch", accesses(2)),
    ]
    clinic, lab = Desk("clinic"), Desk("lab")
    assert consortium.codes(*(clinic.sign(*body) for body in bodies)) == [Code.OK] * 4
    assert consortium.codes(*(lab.sign(*body) for body in later)) == [Code.FOREIGN_NAME] * 4
    assert consortium.codes(*(clinic.sign(*body) for body in later)) == [Code.OK] * 4


@pytest.mark.parametrize(
    ("kind", "body", "result"),
    [
        (
            "BuildAnchor",
            {"kind": "mart", "name": "omop", "inputs": [filled(9)], "code": "1", "output": filled(1)},
            "output",
        ),
        ("BackupAnchor", {"name": "nightly", "root": filled(1)}, "root"),
    ],
)
def test_a_build_or_backup_names_the_one_before(chain: Chain, kind: str, body: dict, result: str) -> None:
    desk = Desk()
    assert chain.code(desk.sign(kind, {**body, "previous": filled(3)})) is Code.WRONG_PREVIOUS
    assert chain.code(desk.sign(kind, {**body, "previous": None})) is Code.OK
    assert chain.code(desk.sign(kind, {**body, "previous": None})) is Code.WRONG_PREVIOUS
    assert chain.code(desk.sign(kind, {**body, result: filled(2), "previous": filled(1)})) is Code.OK


def test_a_restore_is_attested(chain: Chain) -> None:
    attest = Desk().sign("RestoreAttest", {"backup": filled(1), "app_hash": filled(2)})
    assert chain.code(attest) is Code.OK
    assert _state(chain, f"restore/hospital/{filled(1).hex()}")["app_hash"] == filled(2)


def test_an_audit_segment_is_anchored_once_in_whatever_order(chain: Chain) -> None:
    desk = Desk()
    bodies = [accesses(2), accesses(1), accesses(2), accesses(2, bytes([1] * 16))]
    assert chain.codes(*(desk.sign("AccessBatch", body) for body in bodies)) == [0, 0, Code.ALREADY_ANCHORED, 0]
    assert _state(chain, f"access/{bytes(16).hex()}/{filled(1).hex()}")["count"] == 1_000


def test_an_erasure_names_an_anchored_batch_and_is_counted(chain: Chain) -> None:
    desk = Desk()
    notice = {"site": "lab", "sequence": 1, "manifest": filled(1), "tombstone": filled(5)}
    assert chain.code(desk.sign("ErasureNotice", notice)) is Code.UNKNOWN_BATCH
    assert chain.code(desk.sign("DataAnchor", batch(1))) is Code.OK
    assert chain.code(desk.sign("ErasureNotice", {**notice, "manifest": filled(2)})) is Code.UNKNOWN_BATCH
    assert chain.code(desk.sign("ErasureNotice", notice)) is Code.OK
    assert chain.code(desk.sign("ErasureNotice", notice)) is Code.ALREADY_ANCHORED
    assert chain.code(desk.sign("ErasureNotice", {**notice, "tombstone": filled(6)})) is Code.OK
    assert _state(chain, "erasure/lab/00000001")["count"] == 2


def test_a_consent_is_compared_before_it_is_set(chain: Chain) -> None:
    desk = Desk()
    assert chain.code(desk.sign("ConsentPut", consent(1, previous=9))) is Code.WRONG_PREVIOUS
    assert chain.code(desk.sign("ConsentPut", consent(1))) is Code.OK
    assert chain.code(desk.sign("ConsentPut", consent(2))) is Code.WRONG_PREVIOUS
    assert chain.code(desk.sign("ConsentPut", consent(2, previous=1))) is Code.OK
    assert chain.code(desk.sign("ConsentWithdraw", WITHDRAW)) is Code.WRONG_PREVIOUS
    assert _state(chain, f"consent/{bytes(16).hex()}")["commitment"] == filled(2)


def test_a_withdrawn_consent_stays_withdrawn(chain: Chain) -> None:
    desk = Desk()
    assert chain.code(desk.sign("ConsentWithdraw", WITHDRAW)) is Code.UNKNOWN_CONSENT
    grant, withdraw = desk.sign("ConsentPut", consent(1)), desk.sign("ConsentWithdraw", WITHDRAW)
    late = [desk.sign("ConsentPut", consent(2, previous=1)), desk.sign("ConsentPut", consent(2)), withdraw]
    assert chain.codes(grant, withdraw) == [Code.OK, Code.OK]
    assert chain.codes(*late) == [Code.CONSENT_WITHDRAWN, Code.CONSENT_WITHDRAWN, Code.REPLAYED_SEQ]
    assert _state(chain, f"consent/{bytes(16).hex()}")["withdrawn"] is True


def test_nobody_replaces_or_withdraws_anothers_consent(consortium: Chain) -> None:
    assert consortium.code(Desk("lab").sign("ConsentPut", consent(1))) is Code.OK
    clinic = Desk("clinic")
    attempts = [clinic.sign("ConsentPut", consent(2, previous=1)), clinic.sign("ConsentWithdraw", WITHDRAW)]
    assert consortium.codes(*attempts) == [Code.FOREIGN_NAME, Code.FOREIGN_NAME]
