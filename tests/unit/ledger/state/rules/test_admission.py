from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledgers import CHAIN, START, Chain, Desk, accesses, filled, seed
from xinglin.ledger import Code, Machine
from xinglin.ledger.state.rules.admission import WINDOW, use_sequence
from xinglin.ledger.state.view import View
from xinglin.ledger.transactions.envelope import DAY, MAX_BYTES, Refused, seal

DESK = Desk()


def _replayed(machine: Machine) -> bytes:
    desk = Desk()
    machine.execute(1, START, [desk.sign("AccessBatch", accesses(1))])
    machine.commit()
    return desk.sign("AccessBatch", accesses(2), seq=0)


def _stale(machine: Machine) -> bytes:
    machine.execute(1, START, [DESK.sign("AccessBatch", accesses(1), seq=WINDOW + 1)])
    machine.commit()
    return DESK.sign("AccessBatch", accesses(2), seq=0)


def _revoked(machine: Machine) -> bytes:
    desk, other = Desk(), Desk(key=seed("second"))
    rotate = desk.rotate(other.key)
    revoke = other.sign("KeyRevoke", {"key_id": desk.key_id})
    machine.execute(1, START, [rotate, revoke])
    machine.commit()
    return desk.sign("AccessBatch", accesses(1))


def _bad_signature(_: Machine) -> bytes:
    return DESK.sign("AccessBatch", accesses(1))[:-1] + b"\x00"


def _other_signer(_: Machine) -> bytes:
    fields = {"chain_id": CHAIN, "type": "AccessBatch", "institution": "hospital", "key_id": DESK.key_id}
    return seal({**fields, "seq": 0, "valid_until": START + 1, "body": accesses(1)}, seed("stranger"))


ATTACKS: dict[str, tuple[Callable[[Machine], bytes], Code]] = {
    "oversized": (lambda _: DESK.sign("AccessBatch", {"root": bytes(MAX_BYTES)}), Code.OVERSIZED),
    "no transaction": (lambda _: b"\x00", Code.MALFORMED),
    "foreign chain": (lambda _: DESK.sign("AccessBatch", accesses(1), chain_id="other"), Code.FOREIGN_CHAIN),
    "unknown key": (lambda _: Desk(key=seed("new")).sign("AccessBatch", accesses(1)), Code.UNKNOWN_KEY),
    "another's name": (lambda _: Desk("lab", seed("hospital")).sign("AccessBatch", accesses(1)), Code.FOREIGN_KEY),
    "revoked key": (_revoked, Code.REVOKED_KEY),
    "bad signature": (_bad_signature, Code.BAD_SIGNATURE),
    "another signer": (_other_signer, Code.BAD_SIGNATURE),
    "expired": (lambda _: DESK.sign("AccessBatch", accesses(1), valid_until=START), Code.EXPIRED),
    "valid too long": (
        lambda _: DESK.sign("AccessBatch", accesses(1), valid_until=START + DAY + 1),
        Code.TOO_FAR_AHEAD,
    ),
    "replayed": (_replayed, Code.REPLAYED_SEQ),
    "stale": (_stale, Code.STALE_SEQ),
    "unknown type": (lambda _: DESK.sign("Transfer", {}), Code.UNKNOWN_TYPE),
    "bad body": (lambda _: DESK.sign("AccessBatch", {"name": "a person"}), Code.BAD_BODY),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_on_arrival_and_again_in_the_block_and_changes_nothing(chain: Chain, attack: str) -> None:
    make, code = ATTACKS[attack]
    transaction = make(chain.machine)
    before = chain.machine.info()[1]
    assert chain.machine.check(transaction, START) is code
    assert chain.code(transaction) is code
    assert chain.machine.info()[1] == before


def test_a_number_promised_to_a_waiting_transaction_is_refused_to_another_until_it_expires(chain: Chain) -> None:
    desk = Desk()
    waiting = desk.sign("AccessBatch", accesses(1), seq=5, valid_until=START + 10)
    rival = desk.sign("AccessBatch", accesses(2), seq=5)
    assert chain.machine.check(waiting, START) is Code.OK
    assert chain.machine.check(waiting, START) is Code.OK
    assert chain.machine.check(rival, START) is Code.REPLAYED_SEQ
    chain.time = START + 10
    chain.block()
    assert chain.machine.check(rival, START + 10) is Code.OK


def test_a_failed_transaction_does_not_use_its_number_up(chain: Chain) -> None:
    desk = Desk()
    wrong = desk.sign("ConsentWithdraw", {"handle": bytes(16), "previous": filled(1)}, seq=0)
    assert chain.code(wrong) is Code.UNKNOWN_CONSENT
    assert chain.code(desk.sign("AccessBatch", accesses(1), seq=0)) is Code.OK


class _Naive:
    """The window as a set of numbers."""

    def __init__(self) -> None:
        self.used: set[int] = set()

    def use(self, seq: int) -> Code:
        highest = max(self.used, default=seq)
        if highest - seq > WINDOW:
            return Code.STALE_SEQ
        if seq in self.used:
            return Code.REPLAYED_SEQ
        self.used.add(seq)
        return Code.OK


def _use(view: View, seq: int) -> Code:
    try:
        use_sequence(view, "key", seq)
    except Refused as refused:
        return refused.code
    return Code.OK


STEPS = st.lists(
    st.integers(0, 20) | st.integers(1_015, 1_035) | st.integers(0, 5_000) | st.just(2**63 - 1), max_size=60
)


@settings(deadline=None)
@given(STEPS)
def test_the_window_of_sequence_numbers_is_a_set_with_a_lower_bound(numbers: list[int]) -> None:
    view, naive = View(lambda _: None, lambda _: iter(())), _Naive()
    assert [_use(view, seq) for seq in numbers] == [naive.use(seq) for seq in numbers]


def test_a_thousand_numbers_in_any_order_are_all_accepted_once() -> None:
    numbers = list(range(WINDOW + 1))
    Random(1).shuffle(numbers)
    view = View(lambda _: None, lambda _: iter(()))
    assert {_use(view, seq) for seq in numbers} == {Code.OK}
    assert {_use(view, seq) for seq in numbers} == {Code.REPLAYED_SEQ}
