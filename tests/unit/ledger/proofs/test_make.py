"""Anchors out of blocks: the changes of the validators are found by halving, and followed."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from tests.unit.ledger.proofs.test_light import block, keyed
from xinglin.core.errors import VerificationFailed
from xinglin.ledger.port import MapProof
from xinglin.ledger.proofs.light import SignedHeader, Validators
from xinglin.ledger.proofs.make import Anchor, BlockAnchors, Prover
from xinglin.ledger.proofs.trust import Trust, open_anchor
from xinglin.ledger.state.pruning import StatePruned

SETS = [
    keyed((0, 10), (1, 10), (2, 10), (3, 10)),
    keyed((1, 10), (2, 10), (3, 10), (4, 10)),
    keyed((4, 5), (5, 5), (6, 5)),
]
NUMBERS = [[0, 1, 2, 3], [1, 2, 3, 4], [4, 5, 6]]
# Sets by height: the first until 7, the second until 20, and the first again from 30 to 40.
ERAS = [(1, 0), (8, 1), (21, 2), (30, 0), (41, 2)]
LAST = 60


def era(height: int) -> int:
    return [number for first, number in ERAS if first <= height][-1]


class Node:
    """Answers as a node does, and counts."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.asked: list[int] = []

    def __call__(self, method: str, **parameters: str) -> Any:
        if method == "status":
            return {"sync_info": {"latest_block_height": str(self.last)}}
        height = int(parameters["height"])
        if method == "commit":
            self.asked.append(height)
            return {
                "signed_header": told(block(height, SETS[era(height)], SETS[era(height + 1)], NUMBERS[era(height)]))
            }
        members = SETS[era(height)].members
        return {"total": str(len(members)), "validators": [member(key, power) for key, power in members]}


def member(key: bytes, power: int) -> dict[str, Any]:
    return {"pub_key": {"value": base64.b64encode(key).decode()}, "voting_power": str(power)}


def told(signed: SignedHeader) -> dict[str, Any]:
    one = signed.header
    header = {
        "version": {"block": str(one.version[0]), "app": str(one.version[1])},
        "chain_id": one.chain_id,
        "height": str(one.height),
        "time": "2026-05-28T20:26:40.000000005Z",
        "last_block_id": place(one.last_block.hash, one.last_block.parts, one.last_block.parts_hash),
        "proposer_address": one.proposer.hex(),
    }
    names = ["last_commit", "data", "validators", "next_validators", "consensus", "last_results", "evidence"]
    header |= {f"{name}_hash": getattr(one, f"{name}_hash").hex() for name in names} | {"app_hash": one.app_hash.hex()}
    votes = [
        {
            "block_id_flag": 2,
            "validator_address": vote.validator.hex(),
            "timestamp": f"2026-05-28T20:26:41.{vote.time[1]:09d}Z",
            "signature": base64.b64encode(vote.signature).decode(),
        }
        for vote in signed.votes
    ]
    absent = {"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}
    commit = {"round": signed.round, "block_id": place(one.hash(), signed.parts, signed.parts_hash)}
    return {"header": header, "commit": commit | {"signatures": [*votes, absent]}}


def place(name: bytes, parts: int, parts_hash: bytes) -> dict[str, Any]:
    return {"hash": name.hex(), "parts": {"total": parts, "hash": parts_hash.hex()}}


def trust(first: Validators = SETS[0]) -> Trust:
    return Trust("chain", {}, first)


def anchored(last: int) -> tuple[str, int, int]:
    node = Node(last)
    ledger: Any = SimpleNamespace(height=lambda: last)
    anchor = BlockAnchors(node, trust()).newest(ledger)
    opened = open_anchor(anchor.content, trust())
    assert (opened.height, anchor.height) == (last - 1, last - 1)
    return opened.by, opened.time, len(node.asked)


def test_the_validators_of_the_genesis_need_no_step() -> None:
    assert anchored(5) == ("40 of 40 of the voting power at height 5", 1_780_000_000, 1)


def test_every_change_is_followed_and_few_blocks_are_asked_for() -> None:
    by, _, asked = anchored(LAST)
    assert by == "15 of 15 of the voting power at height 60"
    assert asked < 25


def test_validators_that_came_back_need_no_step_either() -> None:
    assert anchored(35)[2] == 1


def test_an_anchor_is_nothing_to_somebody_with_another_genesis() -> None:
    ledger: Any = SimpleNamespace(height=lambda: LAST)
    content = BlockAnchors(Node(LAST), trust()).newest(ledger).content
    with pytest.raises(VerificationFailed, match="not the trusted ones"):
        open_anchor(content, trust(SETS[1]))
    with pytest.raises(VerificationFailed, match="needs validators"):
        open_anchor(content, trust(Validators(())))


class Spoiling(Node):
    """A node that accepted the last vote of each block, which other readers do not."""

    def __call__(self, method: str, **parameters: str) -> Any:
        answer = super().__call__(method, **parameters)
        if method == "commit":
            vote = answer["signed_header"]["commit"]["signatures"][-2]
            vote["signature"] = base64.b64encode(bytes(64)).decode()
        return answer


def test_one_validator_cannot_spoil_the_proofs_of_all() -> None:
    ledger: Any = SimpleNamespace(height=lambda: 15)
    opened = open_anchor(BlockAnchors(Spoiling(15), trust()).newest(ledger).content, trust())
    assert opened.by == "30 of 40 of the voting power at height 15"


def test_a_proof_whose_state_was_forgotten_meanwhile_is_made_under_a_newer_anchor() -> None:
    class Hasty:
        """A ledger on which blocks follow while a proof is made: the first state that is asked for is gone."""

        chain_id = "chain"
        asked: ClassVar[list[int]] = []

        def header(self, height: int | None = None) -> Any:
            return SimpleNamespace(log_root=bytes(32))

        def state_proof(self, key: bytes, height: int) -> MapProof:
            self.asked.append(height)
            if len(self.asked) < 3:
                raise StatePruned("gone", retry=True)
            return MapProof(key, None, (), None, bytes(32), height)

    anchors: Any = SimpleNamespace(newest=lambda ledger: Anchor(len(ledger.asked) * 100, b"anchor"))
    ledger: Any = Hasty()
    assert Prover(ledger, anchors, trust()).of_state("consent", {}, b"key")
    assert ledger.asked == [0, 100, 200]


def test_a_ledger_that_forgets_at_once_is_not_asked_for_ever() -> None:
    def gone(*_: object) -> MapProof:
        raise StatePruned("gone", retry=True)

    ledger: Any = SimpleNamespace(state_proof=gone, header=lambda height: None)
    anchors: Any = SimpleNamespace(newest=lambda ledger: Anchor(1, b"anchor"))
    with pytest.raises(StatePruned):
        Prover(ledger, anchors, trust()).of_state("consent", {}, b"key")
