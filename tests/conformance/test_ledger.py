"""What every ledger does, whoever holds it."""

from __future__ import annotations

import os
import threading
import time

import pytest

from xinglin.core.errors import NotFound
from xinglin.core.merkle import leaf_hash, root_from_path
from xinglin.ledger import Code, app_hash_of, digest_of
from xinglin.ledger.state.authmap import check_proof
from xinglin.ledger.state.consistency import check_consistency
from xinglin.ledger.transactions import cbor

from ..ledgers import Desk, Held, accesses, consent, filled


def _access(held: Held, **changed: object) -> bytes:
    """A transaction that depends on no other one."""
    return held.desk.sign("AccessBatch", {**accesses(1), "root": os.urandom(32), "stream": bytes(16)}, **changed)


def test_a_submitted_transaction_has_a_place_and_is_read_by_everybody(held: Held) -> None:
    transactions = [_access(held) for _ in range(3)]
    receipts = held.ledger.submit(transactions)
    assert [receipt.digest for receipt in receipts] == [digest_of(one) for one in transactions]
    assert {receipt.code for receipt in receipts} == {Code.OK}
    for receipt, transaction in zip(receipts, transactions, strict=True):
        logged = held.ledger.transaction(receipt.digest)
        assert logged is not None
        assert (logged.transaction, logged.index, logged.height) == (transaction, receipt.index, receipt.height)
        assert held.other.transaction(receipt.digest) == logged
    assert held.ledger.transaction(bytes(32)) is None


def test_a_refused_transaction_does_not_stop_the_others(held: Held) -> None:
    seq = next(held.desk.numbers)
    used = _access(held, seq=seq)
    assert held.ledger.submit([used])[0].code is Code.OK
    now = int(held.desk.now())
    refused = {
        "malformed": (b"no transaction", Code.MALFORMED),
        "oversized": (held.desk.sign("AccessBatch", {"root": bytes(70_000)}), Code.OVERSIZED),
        "foreign": (_access(held, chain_id="another-chain"), Code.FOREIGN_CHAIN),
        "unknown key": (_access(held, key_id="0" * 16), Code.UNKNOWN_KEY),
        "bad signature": (_access(held)[:-64] + bytes(64), Code.BAD_SIGNATURE),
        "expired": (_access(held, valid_until=now - 60), Code.EXPIRED),
        "replayed": (_access(held, seq=seq), Code.REPLAYED_SEQ),
        "bad body": (held.desk.sign("AccessBatch", {}), Code.BAD_BODY),
    }
    transactions = [transaction for transaction, _ in refused.values()]
    receipts = held.ledger.submit([*transactions, _access(held)])
    assert [receipt.code for receipt in receipts] == [code for _, code in refused.values()] + [Code.OK]
    assert {(receipt.height, receipt.index) for receipt in receipts[:-1]} == {(None, None)}
    assert all(held.ledger.transaction(receipt.digest) is None for receipt in receipts[:-1])


def test_handing_in_again_is_answered_with_the_same_place(held: Held) -> None:
    transaction = _access(held)
    first = held.ledger.submit([transaction])
    assert held.ledger.submit([transaction]) == first
    assert held.other.submit([transaction]) == first


def test_not_waiting_commits_all_the_same(held: Held) -> None:
    [receipt] = held.ledger.submit([_access(held)], wait=0)
    assert receipt.code is Code.OK
    until = time.monotonic() + 30
    while held.ledger.transaction(receipt.digest) is None:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_commit_shows_in_state_and_mark_together(held: Held) -> None:
    body = {**consent(1), "handle": os.urandom(16)}
    key = b"consent/" + body["handle"].hex().encode()
    marks = held.ledger.mark(), held.other.mark()
    assert held.ledger.state(key) is None
    [receipt] = held.ledger.submit([held.desk.sign("ConsentPut", body)])
    for ledger, mark in zip((held.ledger, held.other), marks, strict=True):
        assert ledger.mark() != mark
        entry = cbor.decode(ledger.state(key) or b"")
        assert (entry["commitment"], entry["withdrawn"]) == (filled(1), False)
        assert ledger.height() >= (receipt.height or 0)


def test_a_header_commits_to_log_and_state_and_old_ones_stay(held: Held) -> None:
    [first] = held.ledger.submit([_access(held)])
    before = held.ledger.header(first.height)
    [second] = held.ledger.submit([_access(held)])
    assert held.ledger.header(first.height) == before
    after = held.ledger.header(second.height)
    assert (after.size, after.height > before.height) == (before.size + 1, True)
    assert after.app_hash == app_hash_of(after.log_root, after.state_root) == held.ledger.app_hash()
    assert after.time >= before.time
    with pytest.raises(NotFound):
        held.ledger.header(10**9)


def test_a_transaction_is_proved_in_its_own_block_and_in_every_later_one(held: Held) -> None:
    transaction = _access(held)
    [receipt] = held.ledger.submit([transaction])
    held.ledger.submit([_access(held) for _ in range(5)])
    for height in (receipt.height, None):
        proof, header = held.ledger.log_proof(receipt.digest, height), held.ledger.header(height)
        assert (proof.index, proof.size, proof.root) == (receipt.index, header.size, header.log_root)
        assert root_from_path(proof.index, proof.size, leaf_hash(transaction), list(proof.path)) == header.log_root
    with pytest.raises(NotFound):
        held.ledger.log_proof(receipt.digest, (receipt.height or 0) - 1)
    with pytest.raises(NotFound):
        held.ledger.log_proof(bytes(32))


def test_the_log_is_proved_to_have_only_grown(held: Held) -> None:
    [first] = held.ledger.submit([_access(held)])
    [second] = held.ledger.submit([_access(held) for _ in range(4)][-1:])
    old, new = held.ledger.header(first.height), held.ledger.header(second.height)
    proof = held.ledger.consistency_proof(old.size, new.size)
    check_consistency((old.size, old.log_root), (new.size, new.log_root), proof.path)
    with pytest.raises(NotFound):
        held.ledger.consistency_proof(old.size, 10**9)


def test_a_state_value_and_its_absence_are_proved_now_and_as_they_were(held: Held) -> None:
    body = {**consent(1), "handle": os.urandom(16)}
    key = b"consent/" + body["handle"].hex().encode()
    [other] = held.ledger.submit([_access(held)])
    [put] = held.ledger.submit([held.desk.sign("ConsentPut", body)])
    withdraw = {"handle": body["handle"], "previous": body["commitment"]}
    [withdrawn] = held.ledger.submit([held.desk.sign("ConsentWithdraw", withdraw)])
    found = {}
    for receipt in (other, put, withdrawn):
        proof = held.ledger.state_proof(key, receipt.height)
        check_proof(proof)
        assert proof.root == held.ledger.header(receipt.height).state_root
        found[receipt.height] = proof.value and cbor.decode(proof.value)["withdrawn"]
    assert list(found.values()) == [None, False, True]
    assert held.ledger.state_proof(key).value == held.ledger.state(key)


def test_a_new_key_is_taken_from_whoever_holds_it_and_signs_until_it_is_revoked(held: Held) -> None:
    new = os.urandom(32)
    second = Desk(held.desk.institution, new, chain_id=held.desk.chain_id, now=held.desk.now)
    assert held.ledger.submit([held.desk.rotate(new, proof=bytes(64))])[0].code is Code.UNPROVEN_KEY
    assert held.ledger.submit([held.desk.rotate(new)])[0].code is Code.OK
    signed = second.sign("AccessBatch", {**accesses(1), "root": os.urandom(32)})
    assert held.ledger.submit([signed])[0].code is Code.OK
    assert held.ledger.submit([held.desk.sign("KeyRevoke", {"key_id": second.key_id})])[0].code is Code.OK
    late = second.sign("AccessBatch", {**accesses(1), "root": os.urandom(32)})
    assert held.ledger.submit([late])[0].code is Code.REVOKED_KEY
    assert held.ledger.submit([held.desk.rotate(new)])[0].code is Code.KNOWN_KEY


def test_many_threads_submit_at_once(held: Held) -> None:
    transactions = [_access(held) for _ in range(40)]
    places: list[int | None] = []
    threads = [
        threading.Thread(target=lambda one=one: places.append(held.ledger.submit([one])[0].index))
        for one in transactions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({place for place in places if place is not None}) == 40
