from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledgers import Desk, accesses, batch, consent, filled
from xinglin.ledger import Code
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.bodies import BODIES, read_body
from xinglin.ledger.transactions.envelope import MAX_BYTES, Refused, open_envelope
from xinglin.ledger.transactions.shapes import Shapes

GOOD = {
    "InstitutionPropose": {
        "action": "add", "name": "clinic", "public_key": filled(1), "validator_key": None, "power": 1,
        "public_key_proof": bytes(64), "validator_key_proof": None,
    },
    "InstitutionVote": {"proposal": filled(1), "approve": True},
    "KeyRotate": {"public_key": filled(1), "proof": bytes(64)},
    "KeyRevoke": {"key_id": "0" * 16},
    "DataAnchor": batch(1),
    "BuildAnchor": {
        "kind": "mart", "name": "omop", "inputs": [filled(1)], "code": "0.1.0", "output": filled(2), "previous": None,
    },
    "BackupAnchor": {"name": "nightly", "root": filled(1), "previous": None},
    "RestoreAttest": {"backup": filled(1), "app_hash": filled(2)},
    "ConsentPut": consent(1),
    "ConsentWithdraw": {"handle": bytes(16), "previous": filled(1)},
    "AccessBatch": accesses(1),
    "ErasureNotice": {"site": "lab", "sequence": 1, "manifest": filled(1), "tombstone": filled(2)},
}  # fmt: skip


def _refused(kind: str, body: dict[str, object]) -> Code:
    with pytest.raises(Refused) as refused:
        read_body(kind, body)
    return refused.value.code


def test_every_type_has_an_example_here() -> None:
    assert GOOD.keys() == BODIES.keys()


@pytest.mark.parametrize("kind", GOOD)
def test_a_body_is_read_as_it_is_written(kind: str) -> None:
    body = read_body(kind, GOOD[kind])
    assert {name: getattr(body, name) for name in GOOD[kind]} == GOOD[kind]


@pytest.mark.parametrize("kind", GOOD)
def test_a_body_with_a_field_too_many_or_too_few_or_of_another_kind_is_refused(kind: str) -> None:
    allowed = {"inputs": ([],), "schema": ("a/b",), "code": ("a/b",)}
    assert _refused(kind, {**GOOD[kind], "comment": "a name"}) is Code.BAD_BODY
    for name in GOOD[kind]:
        assert _refused(kind, {key: one for key, one in GOOD[kind].items() if key != name}) is Code.BAD_BODY
        for wrong in ([], {}, -1, b"", "", "a/b", 2**60, bytes(33), "x" * 300, 1.0):
            if wrong not in allowed.get(name, ()):
                assert _refused(kind, {**GOOD[kind], name: wrong}) is Code.BAD_BODY


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("AccessBatch", {"last": accesses(1)["first"] + 1_000_001}),
        ("AccessBatch", {"last": accesses(1)["first"] - 1}),
        ("AccessBatch", {"count": 0}),
        ("AccessBatch", {"count": True}),
        ("ConsentPut", {"valid_until": consent(1)["valid_from"]}),
        ("InstitutionPropose", {"public_key": None}),
        ("InstitutionPropose", {"action": "remove"}),
        ("InstitutionPropose", {"public_key_proof": None}),
        ("InstitutionPropose", {"validator_key_proof": bytes(64)}),
        ("InstitutionPropose", {"validator_key": filled(2)}),
        ("InstitutionPropose", {"validator_key": filled(1), "validator_key_proof": bytes(64)}),
        ("InstitutionPropose", {"action": "remove", "public_key": None, "public_key_proof": None, "power": 1}),
        ("BuildAnchor", {"inputs": [filled(1)] * 1_025}),
        ("DataAnchor", {"sequence": 0}),
    ],
)
def test_fields_that_do_not_fit_together_are_refused(kind: str, changed: dict[str, object]) -> None:
    assert _refused(kind, {**GOOD[kind], **changed}) is Code.BAD_BODY


def test_a_type_that_does_not_exist_is_refused() -> None:
    assert _refused("Transfer", {}) is Code.UNKNOWN_TYPE


def _opened(transaction: bytes) -> Code:
    try:
        open_envelope(transaction)
    except Refused as refused:
        return refused.code
    return Code.OK


def test_a_transaction_of_64_kib_is_read_and_a_byte_more_is_not() -> None:
    spare = MAX_BYTES - len(Desk().sign("t", {"x": bytes(60_000)})) + 60_000
    assert _opened(Desk().sign("t", {"x": bytes(spare)})) is Code.OK
    assert _opened(Desk().sign("t", {"x": bytes(spare + 1)})) is Code.OVERSIZED


@pytest.mark.parametrize(
    "changed", [{"seq": -1}, {"seq": 2**63}, {"valid_until": None}, {"body": []}, {"chain_id": b""}, {"message": b""}]
)
def test_an_envelope_with_a_field_of_another_kind_is_malformed(changed: dict[str, object]) -> None:
    assert _opened(Desk().sign("t", **{"body": {}, **changed})) is Code.MALFORMED


def test_an_envelope_of_another_version_is_malformed() -> None:
    message, signature = cbor.decode(Desk().sign("t", {}))
    for version in (1, 3, True, None):
        other = cbor.encode({**cbor.decode(message), "v": version})
        assert _opened(cbor.encode([other, signature])) is Code.MALFORMED


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_at_all_do_worse_than_being_malformed(text: bytes) -> None:
    assert _opened(text) is Code.MALFORMED


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_never_leaves_the_same_statement_with_the_same_signature(place: int, bits: int) -> None:
    transaction = Desk().sign("AccessBatch", accesses(1))
    place %= len(transaction)
    damaged = transaction[:place] + bytes([transaction[place] ^ bits]) + transaction[place + 1 :]
    before = open_envelope(transaction)
    try:
        after = open_envelope(damaged)
    except Refused:
        return
    assert (after.message, after.signature) != (before.message, before.signature)


def _said(transaction: bytes) -> object:
    try:
        return open_envelope(transaction)
    except Refused as refused:
        return refused.code


@settings(deadline=None)
@given(
    st.integers(100, 900),
    st.sampled_from([0, 23, 24, 255, 256, 65_536, 2**32, 2**63 - 1]),
    st.lists(st.tuples(st.integers(0, 2_000), st.sampled_from([0, 1, 23, 24, 25, 127, 195, 255])), max_size=4),
)
def test_what_was_read_before_changes_nothing(size: int, seq: int, changes: list[tuple[int, int]]) -> None:
    transaction = Desk().sign("t", {"x": bytes(size), "n": seq}, seq=seq)
    changed = bytearray(transaction)
    for place, value in changes:
        changed[place % len(changed)] = value
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("xinglin.ledger.transactions.envelope._SHAPES", Shapes())
        cold = _said(bytes(changed))
        patched.setattr("xinglin.ledger.transactions.envelope._SHAPES", Shapes())
        assert _said(transaction) == _said(transaction)
        assert _said(bytes(changed)) == cold
