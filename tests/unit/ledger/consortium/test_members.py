from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import pytest
from nacl.signing import SigningKey

from tests.ledgers import seed
from xinglin.core.errors import BadInput, UsageError
from xinglin.ledger.consortium.members import Member, genesis_of, node_genesis
from xinglin.ledger.state.genesis import Genesis


def _member(name: str, power: int, node: str, address: str, made: int) -> Member:
    keys = SigningKey(seed(name)), SigningKey(seed(f"{name} validator"))
    own, voting = (bytes(key.verify_key).hex() for key in keys)
    return Member(name, own, voting, power, node, address, made).signed(*keys)


NORTH = _member("north", 10, "03" * 20, "north.example:26656", 1_700_000_000)
SOUTH = _member("south", 20, "06" * 20, "south.example:26656", 1_700_000_300)
EAST = _member("east", 30, "09" * 20, "[2001:db8::1]:26656", 1_700_000_100)


def test_everybody_makes_the_same_genesis_in_whatever_order_the_files_came() -> None:
    made = {node_genesis(genesis_of(order)) for order in permutations([NORTH, SOUTH, EAST])}
    assert len(made) == 1
    document = json.loads(made.pop())
    assert document["genesis_time"] == "2023-11-14T22:18:20Z"
    assert [one["name"] for one in document["validators"]] == ["east", "north", "south"]
    assert Genesis.from_json(json.dumps(document["app_state"])) == genesis_of([NORTH, SOUTH, EAST])


def test_another_member_is_another_chain() -> None:
    names = {genesis_of(some).chain_id for some in ([NORTH, SOUTH], [NORTH, EAST], [NORTH, replace(SOUTH, power=21)])}
    assert len(names) == 3
    assert genesis_of([NORTH], "region").chain_id == "region"


@pytest.mark.parametrize("field", ["name", "public_key", "validator_key", "node", "address"])
def test_two_institutions_share_nothing(field: str) -> None:
    with pytest.raises(UsageError, match=field):
        genesis_of([NORTH, replace(SOUTH, **{field: getattr(NORTH, field)})])


@pytest.mark.parametrize(
    "changed",
    [
        {"public_key": "01" * 31},
        {"node": "xyz"},
        {"power": 0},
        {"power": "10"},
        {"address": "north.example"},
        {"name": ""},
        {"name": "a/b"},
        {"power": True},
        {"power": 10**9},
        {"made": 10**30},
        {"address": 'x"\n[p2p]\npex = true\n#:1'},
        {"address": "north.example:1,evil@evil.example:2"},
        {"address": "north.example:\u0663"},
    ],
)
def test_a_file_that_is_no_public_part_is_refused(changed: dict[str, object]) -> None:
    fields = json.loads(NORTH.to_json()) | changed
    with pytest.raises(BadInput):
        Member.from_json(json.dumps(fields))


@pytest.mark.parametrize(
    "changed",
    [
        {"power": 11},
        {"name": "south"},
        {"address": "evil.example:26656"},
        {"public_key": SOUTH.public_key},
        {"validator_key": SOUTH.validator_key},
        {"validator_key": SOUTH.validator_key, "validator_key_proof": SOUTH.validator_key_proof},
        {"validator_key_proof": ""},
        {"public_key_proof": NORTH.validator_key_proof},
        {"public_key_proof": "xy"},
    ],
)
def test_a_public_part_that_its_keys_did_not_sign_is_refused(changed: dict[str, object]) -> None:
    assert Member.from_json(NORTH.to_json()) == NORTH
    with pytest.raises(BadInput, match="not signed by both"):
        Member.from_json(json.dumps(json.loads(NORTH.to_json()) | changed), "north.json")


def test_one_key_is_not_used_for_two_things() -> None:
    with pytest.raises(UsageError, match="two purposes"):
        genesis_of([NORTH, replace(SOUTH, validator_key=NORTH.public_key)])


def test_a_file_of_another_kind_is_refused() -> None:
    for text in ("", "[]", "{}", json.dumps(json.loads(NORTH.to_json()) | {"format": "another"})):
        with pytest.raises(BadInput):
            Member.from_json(text, "file.json")


def test_a_newcomer_asks_for_one_chain_and_stays_the_same_institution() -> None:
    keys = SigningKey(seed("north")), SigningKey(seed("north validator"))
    asking = NORTH.signed_for("region", *keys)
    assert Member.from_json(asking.to_json()) == asking
    assert asking.statement == NORTH.statement
    assert "joining" not in NORTH.to_json()
    told = json.loads(asking.to_json())
    for changed in (
        {"chain_id": "another"},
        {"public_key_proof": NORTH.public_key_proof},
        {"validator_key_proof": told["joining"]["public_key_proof"]},
        {"public_key_proof": 5},
        {"more": ""},
    ):
        with pytest.raises(BadInput):
            Member.from_json(json.dumps(told | {"joining": told["joining"] | changed}))
    with pytest.raises(BadInput):
        Member.from_json(json.dumps(told | {"joining": [1]}))
    with pytest.raises(BadInput, match="not signed by both"):
        Member.from_json(json.dumps(json.loads(SOUTH.to_json()) | {"joining": told["joining"]}))
