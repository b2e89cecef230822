from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.ledgers import CHAIN, START, Chain, Desk, accesses, addition, change, filled, genesis, public, seed
from xinglin.core.errors import BadInput
from xinglin.ledger import Code, Founder, Genesis, digest_of
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.possession import rotation

DESKS = {name: Desk(name) for name in ("clinic", "hospital", "lab", "region")}


def _state(chain: Chain, key: str) -> dict:
    return cbor.decode(chain.store.reader.state(key.encode()) or b"\xa0")


def _vote(chain: Chain, proposal: bytes, *names: str, approve: bool = True) -> list[Code]:
    body = {"proposal": digest_of(proposal), "approve": approve}
    return chain.codes(*(_desk(name).sign("InstitutionVote", body) for name in names))


def _desk(name: str) -> Desk:
    return DESKS[name]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    DESKS.update({name: Desk(name) for name in DESKS})


def test_an_institution_joins_when_more_than_two_thirds_agreed(consortium: Chain) -> None:
    validator = public(seed("new validator"))
    joining = Desk("new")
    proposal = _desk("lab").sign("InstitutionPropose", addition("new", 5, joining.key, seed("new validator")))
    assert consortium.code(proposal) is Code.OK
    assert _vote(consortium, proposal, "clinic") == [Code.OK]
    assert consortium.code(joining.sign("AccessBatch", accesses(1), seq=0)) is Code.UNKNOWN_KEY
    last = _desk("region").sign("InstitutionVote", {"proposal": digest_of(proposal), "approve": True})
    result = consortium.block(last)
    assert result.validator_updates == ((validator, 5),)
    assert consortium.code(joining.sign("AccessBatch", accesses(1))) is Code.OK
    assert _vote(consortium, proposal, "hospital") == [Code.CLOSED_PROPOSAL]


def test_two_thirds_exactly_are_not_enough(tmp_path) -> None:
    chain = Chain(tmp_path, clinic=1, hospital=1, lab=1)
    proposal = _desk("lab").sign("InstitutionPropose", change("power", "lab", 9))
    assert chain.code(proposal) is Code.OK
    assert _vote(chain, proposal, "clinic") == [Code.OK]
    assert _state(chain, "institution/lab")["power"] == 1
    assert _vote(chain, proposal, "hospital") == [Code.OK]
    assert _state(chain, "institution/lab")["power"] == 9


def test_a_vote_can_be_changed_and_a_third_against_ends_it(consortium: Chain) -> None:
    proposal = _desk("lab").sign("InstitutionPropose", change("power", "lab", 9))
    assert consortium.code(proposal) is Code.OK
    assert _vote(consortium, proposal, "lab", approve=False) == [Code.OK]
    assert _vote(consortium, proposal, "lab", "clinic") == [Code.OK, Code.OK]
    assert _vote(consortium, proposal, "hospital", approve=False) == [Code.OK]
    assert _vote(consortium, proposal, "region", approve=False) == [Code.OK]
    assert _state(consortium, f"proposal/{digest_of(proposal).hex()}")["outcome"] == "rejected"
    assert _vote(consortium, proposal, "region") == [Code.CLOSED_PROPOSAL]


def test_a_proposal_is_open_for_thirty_days(consortium: Chain) -> None:
    proposal = _desk("lab").sign("InstitutionPropose", change("power", "lab", 9))
    assert consortium.code(proposal) is Code.OK
    consortium.time = START + 30 * 86_400
    vote = _desk("clinic").sign(
        "InstitutionVote", {"proposal": digest_of(proposal), "approve": True}, valid_until=consortium.time + 60
    )
    assert consortium.code(vote) is Code.CLOSED_PROPOSAL
    assert _vote(consortium, b"never", "lab") == [Code.EXPIRED]


def test_one_that_leaves_cannot_speak_any_more_not_even_with_a_new_name_for_an_old_key(consortium: Chain) -> None:
    leave = _desk("lab").sign("InstitutionPropose", change("remove", "region", 0))
    assert consortium.code(leave) is Code.OK
    assert _vote(consortium, leave, "clinic", "hospital") == [Code.OK, Code.OK]
    assert consortium.code(_desk("region").sign("AccessBatch", accesses(1))) is Code.REVOKED_KEY
    fresh = seed("region, again")
    for keys in ((seed("region"), None), (fresh, seed("region validator")), (seed("region validator"), fresh)):
        again = _desk("lab").sign("InstitutionPropose", addition("region", 1, *keys))
        assert consortium.code(again) is Code.KNOWN_KEY
    other = _desk("lab").sign("InstitutionPropose", addition("region", 1, fresh, seed("region, votes again")))
    assert consortium.code(other) is Code.OK
    assert _vote(consortium, other, "clinic", "hospital") == [Code.OK, Code.OK]
    assert _state(consortium, "institution/region")["power"] == 1


def test_what_makes_no_sense_cannot_be_proposed(consortium: Chain) -> None:
    desk = _desk("lab")
    senseless = [
        addition("clinic", 1, filled(1)),
        change("remove", "stranger", 0),
        change("power", "lab", 10),
    ]
    assert consortium.codes(*(desk.sign("InstitutionPropose", one) for one in senseless)) == [Code.NO_CHANGE] * 3
    for key in ("lab validator", "lab"):
        taken = desk.sign("InstitutionPropose", addition("new", 1, filled(1), seed(key)))
        assert consortium.code(taken) is Code.KNOWN_KEY


def test_a_key_that_came_into_use_while_the_votes_were_counted_joins_no_other(consortium: Chain) -> None:
    proposal = _desk("lab").sign("InstitutionPropose", addition("new", 1, filled(1), seed("wanted by both")))
    assert consortium.codes(proposal, _desk("lab").rotate(seed("wanted by both"))) == [Code.OK, Code.OK]
    assert _vote(consortium, proposal, "clinic", "hospital") == [Code.OK, Code.KNOWN_KEY]


@pytest.mark.parametrize("field", ["public_key_proof", "validator_key_proof"])
def test_an_institution_joins_with_no_key_that_it_does_not_hold(consortium: Chain, field: str) -> None:
    good = addition("new", 1, seed("new"), seed("new validator"))
    others = {
        "another chain": addition("new", 1, seed("new"), seed("new validator"), chain_id="other")[field],
        "another name": addition("other", 1, seed("new"), seed("new validator"))[field],
        "another pair": addition("new", 1, seed("new"), seed("other"))["public_key_proof"],
        "nobody": bytes(64),
    }
    for proof in others.values():
        forged = _desk("lab").sign("InstitutionPropose", {**good, field: proof})
        assert consortium.machine.check(forged, START) is Code.UNPROVEN_KEY
        assert consortium.code(forged) is Code.UNPROVEN_KEY
    assert consortium.code(_desk("lab").sign("InstitutionPropose", good)) is Code.OK


def test_a_key_is_rotated_to_by_whoever_holds_it_in_this_transaction_alone(consortium: Chain) -> None:
    desk, new = _desk("lab"), seed("second")
    good = {"public_key": public(new)}

    def proof(*said: Any) -> bytes:
        return SigningKey(new).sign(rotation(*said)).signature

    forged = {
        "the old key": SigningKey(desk.key).sign(rotation(CHAIN, "lab", desk.key_id, public(new), 9)).signature,
        "another chain": proof("other", "lab", desk.key_id, public(new), 9),
        "another institution": proof(CHAIN, "clinic", desk.key_id, public(new), 9),
        "another old key": proof(CHAIN, "lab", _desk("clinic").key_id, public(new), 9),
        "another key": proof(CHAIN, "lab", desk.key_id, public(seed("third")), 9),
        "another number": proof(CHAIN, "lab", desk.key_id, public(new), 8),
        "no statement": bytes(64),
    }
    for signature in forged.values():
        transaction = desk.sign("KeyRotate", {**good, "proof": signature}, seq=9)
        assert consortium.machine.check(transaction, START) is Code.UNPROVEN_KEY
        assert consortium.code(transaction) is Code.UNPROVEN_KEY
    assert _state(consortium, "institution/lab")["keys"] == [desk.key_id]
    assert consortium.code(desk.rotate(new, seq=9)) is Code.OK


def test_a_key_that_was_ever_in_use_is_rotated_to_by_nobody(consortium: Chain) -> None:
    lab, clinic, second = _desk("lab"), _desk("clinic"), Desk("lab", seed("second"))
    for name in ("clinic", "clinic validator", "lab", "lab validator"):
        assert consortium.code(lab.rotate(seed(name))) is Code.KNOWN_KEY
    assert consortium.codes(lab.rotate(second.key), lab.sign("KeyRevoke", {"key_id": second.key_id})) == [0, 0]
    assert consortium.codes(lab.rotate(second.key), clinic.rotate(second.key)) == [Code.KNOWN_KEY] * 2


def test_a_genesis_whose_founders_share_a_key_begins_no_chain() -> None:
    one, other = genesis(a=1, b=1).institutions
    for broken in (replace(one, public_key=other.validator_key), replace(one, public_key=one.validator_key)):
        with pytest.raises(BadInput, match="appears twice"):
            Genesis(CHAIN, START, (broken, other)).check()


def test_the_last_power_is_never_given_up(chain: Chain) -> None:
    desk = Desk()
    none = desk.sign("InstitutionPropose", change("power", "hospital", 0), seq=0)
    leave = desk.sign("InstitutionPropose", change("remove", "hospital", 0), seq=1)
    assert chain.codes(none, leave) == [Code.POWERLESS_CHAIN, Code.POWERLESS_CHAIN]


def _address(name: str) -> bytes:
    return hashlib.sha256(public(seed(f"{name} validator"))).digest()[:20]


def test_a_validator_that_signed_twice_loses_its_power_and_its_votes(consortium: Chain) -> None:
    result = consortium.block(misbehaviour=(_address("lab"), _address("nobody")))
    assert result.validator_updates == ((public(seed("lab validator")), 0),)
    assert _state(consortium, "institution/lab")["power"] == 0
    propose = _desk("lab").sign("InstitutionPropose", change("power", "lab", 10))
    assert consortium.code(propose) is Code.NO_POWER
    assert consortium.code(_desk("lab").sign("AccessBatch", accesses(1))) is Code.OK
    assert consortium.block(misbehaviour=(_address("lab"),)).validator_updates == ()


def test_the_last_validator_keeps_its_power_because_without_it_there_is_no_chain(chain: Chain) -> None:
    assert chain.block(misbehaviour=(_address("hospital"),)).validator_updates == ()
    assert _state(chain, "institution/hospital")["power"] == 1


def test_keys_are_added_and_revoked_by_their_institution_alone(consortium: Chain) -> None:
    desk, second = _desk("lab"), Desk("lab", seed("second"))
    assert consortium.code(desk.sign("KeyRevoke", {"key_id": desk.key_id})) is Code.LAST_KEY
    assert consortium.code(desk.rotate(seed("clinic"))) is Code.KNOWN_KEY
    assert consortium.code(desk.rotate(second.key)) is Code.OK
    foreign = _desk("clinic").sign("KeyRevoke", {"key_id": second.key_id})
    assert consortium.code(foreign) is Code.FOREIGN_KEY
    assert consortium.code(desk.sign("KeyRevoke", {"key_id": "0" * 16})) is Code.UNKNOWN_KEY
    assert consortium.codes(desk.sign("AccessBatch", accesses(1)), second.sign("AccessBatch", accesses(2))) == [0, 0]
    revoke = second.sign("KeyRevoke", {"key_id": desk.key_id})
    assert consortium.codes(revoke, desk.sign("AccessBatch", accesses(3))) == [Code.OK, Code.REVOKED_KEY]
    assert consortium.code(second.sign("KeyRevoke", {"key_id": desk.key_id})) is Code.REVOKED_KEY


@pytest.mark.parametrize(
    "broken",
    [
        Genesis("a/b", 0, genesis().institutions),
        Genesis("c", -1, genesis().institutions),
        Genesis("c", 0, ()),
        Genesis("c", 0, genesis(a=0).institutions),
        Genesis("c", 0, genesis(a=1, b=1).institutions[::-1]),
        Genesis("c", 0, (Founder("a", bytes(31), None, 1),)),
        Genesis("c", 0, (Founder("a", bytes(32), None, 1), Founder("b", bytes(32), None, 1))),
        Genesis("c", 0, (Founder("a b", bytes(32), None, 1),)),
        Genesis("c", 0, (Founder("a", bytes(32), None, 2**40),)),
    ],
)
def test_no_chain_begins_with_a_broken_genesis(broken: Genesis) -> None:
    with pytest.raises(BadInput, match="the genesis is invalid"):
        Genesis.from_json(broken.to_json()) if broken.institutions == () else broken.check()


def test_a_genesis_that_is_cut_short_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        Genesis.from_json(genesis().to_json()[:-9])


def test_the_last_validator_stays_where_nodes_vote_on_blocks(tmp_path) -> None:
    chain = Chain(tmp_path, hospital=1)
    desk, silent = _desk("hospital"), Desk("silent")
    add = desk.sign("InstitutionPropose", addition("silent", 10, silent.key))
    assert chain.code(add) is Code.OK
    assert chain.block(misbehaviour=(_address("hospital"),)).validator_updates == ()
    leave = silent.sign("InstitutionPropose", change("remove", "hospital", 0))
    idle = silent.sign("InstitutionPropose", change("power", "hospital", 0))
    assert chain.codes(leave, idle) == [Code.POWERLESS_CHAIN, Code.POWERLESS_CHAIN]


def test_votes_of_one_that_left_do_not_count_for_the_next_of_its_name(consortium: Chain) -> None:
    raised = _desk("lab").sign("InstitutionPropose", change("power", "lab", 1_000))
    assert consortium.code(raised) is Code.OK
    assert _vote(consortium, raised, "region") == [Code.OK]
    leave = _desk("lab").sign("InstitutionPropose", change("remove", "region", 0))
    assert consortium.code(leave) is Code.OK
    assert _vote(consortium, leave, "clinic", "hospital") == [Code.OK, Code.OK]
    fresh = addition("region", 10, seed("region, again"))
    again = _desk("lab").sign("InstitutionPropose", fresh)
    assert consortium.code(again) is Code.OK
    assert _vote(consortium, again, "clinic", "hospital") == [Code.OK, Code.OK]
    assert _vote(consortium, raised, "clinic") == [Code.OK]
    assert _state(consortium, "institution/lab")["power"] == 10
