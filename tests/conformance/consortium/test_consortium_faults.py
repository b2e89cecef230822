"""Four real validators under steady load: killed, stopped, cut off, impersonated, wiped.

XINGLIN_KILLS sets how often a validator or its application is killed at a random moment (3 by default).
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import free_ports
from tests.consortium import Consortium, Institution, Load, height, in_blocks, logged
from tests.ledgers import change
from xinglin.core.errors import LedgerUnavailable
from xinglin.ledger import Code, digest_of
from xinglin.ledger.consortium.home import ValidatorHome
from xinglin.ledger.consortium.rpc import NodeClient
from xinglin.ledger.consortium.status import query_nodes
from xinglin.ledger.transactions import cbor

KILLS = int(os.environ.get("XINGLIN_KILLS", "3"))


@pytest.fixture
def under_load(consortium: Consortium) -> Iterator[Load]:
    """Transactions go on while the test does its harm; afterwards nothing acknowledged is lost or doubled."""
    consortium.meet_again()
    with Load(consortium) as load:
        yield load
    last = consortium.check_same_everywhere()
    logs = [logged(member) for member in consortium.members]
    assert logs[1:] == logs[:-1]
    assert in_blocks(consortium.members[0], last) == logs[0]
    assert len(set(logs[0])) == len(logs[0])
    assert {receipt.digest for receipt in load.acknowledged} <= set(logs[0])
    assert load.acknowledged and not load.refused


def advance(consortium: Consortium, blocks: int, some: list[int]) -> None:
    """Wait until these nodes have so many blocks more."""
    now = max(height(consortium.members[number].url) for number in some)
    consortium.wait_for_height(now + blocks, some)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_validator_or_its_application_is_killed_at_a_random_moment(
    consortium: Consortium, under_load: Load, number: int
) -> None:
    chance = random.Random(number)
    victim = chance.randrange(4)
    time.sleep(chance.uniform(0.2, 1.5))
    consortium.members[victim].kill(("node", "application")[number % 2])
    advance(consortium, 3, [other for other in range(4) if other != victim])
    consortium.members[victim].start()
    advance(consortium, 2, [victim])


@pytest.mark.parametrize("fault", ["before-commit", "after-commit"])
def test_an_application_is_killed_between_finalize_block_and_the_end_of_commit(
    consortium: Consortium, under_load: Load, fault: str
) -> None:
    victim = consortium.members[1]
    victim.stop()
    victim.start(("tests.faulty_validator", fault))
    advance(consortium, 2, [1])
    (victim.home.home / "trap").touch()
    assert victim.process
    assert victim.process.wait(30) == -signal.SIGKILL
    assert not (victim.home.home / "trap").exists()
    advance(consortium, 2, [0, 2, 3])
    victim.start()
    advance(consortium, 2, [1])


def test_a_validator_that_stands_still_for_ten_seconds_catches_up(consortium: Consortium, under_load: Load) -> None:
    consortium.members[2].signal(signal.SIGSTOP)
    began = time.monotonic()
    advance(consortium, 5, [0, 1, 3])
    time.sleep(max(0.0, began + 10 - time.monotonic()))
    consortium.members[2].signal(signal.SIGCONT)
    consortium.wait_for_height(max(consortium.heights()), [2])


def test_one_that_is_cut_off_commits_nothing_and_catches_up(consortium: Consortium, under_load: Load) -> None:
    consortium.relays.cut(consortium.relays.between([3], [0, 1, 2]))
    try:
        advance(consortium, 2, [0, 1, 2])
        alone = height(consortium.members[3].url)
        advance(consortium, 5, [0, 1, 2])
        assert height(consortium.members[3].url) == alone
    finally:
        consortium.relays.mend()
    consortium.wait_for_height(max(consortium.heights()), [3])


def test_two_cut_from_two_commit_nothing_and_go_on_together(consortium: Consortium, under_load: Load) -> None:
    consortium.relays.cut(consortium.relays.between([0, 1], [2, 3]))
    try:
        time.sleep(2)
        before, halves = consortium.heights(), [consortium.members[0], consortium.members[2]]
        late = [one.access(consortium.chain_id, 10_000_000 + number) for number, one in enumerate(halves)]
        for member, transaction in zip(halves, late, strict=True):
            ledger = member.ledger()
            [receipt] = ledger.submit([transaction], wait=2)
            # Taken in, not committed; what the institution has committed can be read as ever.
            assert (receipt.code, receipt.height) == (Code.OK, None)
            assert ledger.state(b"institution/institution-0")
            ledger.close()
        assert consortium.heights() == before
    finally:
        consortium.relays.mend()
    for member, transaction in zip(halves, late, strict=True):
        ledger = member.ledger()
        assert ledger.submit([transaction], wait=60)[0].height
        ledger.close()


def test_without_a_majority_a_wait_without_end_gives_up(consortium: Consortium) -> None:
    member = consortium.members[0]
    ledger = member.ledger()
    ledger.submit([member.access(consortium.chain_id, 20_000_000)])
    consortium.meet_again()
    time.sleep(1)
    consortium.relays.cut(consortium.relays.between([0, 1], [2, 3]))
    try:
        ledger._patience = 2.0
        with pytest.raises(LedgerUnavailable) as told:
            ledger.submit([member.access(consortium.chain_id, 20_000_001)])
        assert told.value.retry
    finally:
        consortium.relays.mend()
        ledger.close()


def test_a_wiped_node_rebuilds_the_same_ledger_whatever_its_surroundings(
    consortium: Consortium, under_load: Load
) -> None:
    victim = consortium.members[0]
    victim.stop()
    for path in victim.home.ledger.glob("ledger.sqlite*"):
        path.unlink()
    shutil.rmtree(victim.home.node / "data")
    (victim.home.node / "data").mkdir()
    advance(consortium, 3, [1, 2, 3])
    # Its votes so far are in the blocks of the others, beyond which it first has to come.
    (victim.home.node / "data" / "priv_validator_state.json").write_text('{"height": "0", "round": 0, "step": 0}')
    victim.start(PYTHONHASHSEED="7", TZ="Asia/Kathmandu", LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8")
    consortium.wait_for_height(max(consortium.heights()), [0])
    assert query_nodes([member.url for member in consortium.members]).agree


def test_a_key_that_votes_on_two_nodes_loses_its_power_and_gets_it_back_by_vote(
    consortium: Consortium, under_load: Load
) -> None:
    victim, others = consortium.members[3], consortium.members[:3]
    twin = _twin(consortium, victim)
    twin.start(("tests.faulty_validator", "contrary"))
    try:
        consortium.wait(lambda: _power(consortium, victim) == 0, "loss of power", 90)
    finally:
        twin.stop()
    assert _evidence(consortium, victim)
    ledger = others[0].ledger()
    proposal = others[0].sign(consortium.chain_id, "InstitutionPropose", change("power", victim.name, 10))
    assert ledger.submit([proposal], wait=30)[0].height
    for member in others[1:]:
        vote = {"proposal": digest_of(proposal), "approve": True}
        receipts = ledger.submit([member.sign(consortium.chain_id, "InstitutionVote", vote)], wait=30)
        assert [receipt.code for receipt in receipts] == [Code.OK]
    ledger.close()
    # Two of the three that still had power are not more than two thirds of it; the third made it so.
    consortium.wait(lambda: _power(consortium, victim) == 10, "power given back", 30)


def test_a_node_that_nobody_named_is_let_in_by_nobody(consortium: Consortium, tmp_path: Path) -> None:
    ports = free_ports(2)
    stranger = Institution(tmp_path, "stranger", (ports[0], ports[1]))
    stranger.make(200)
    stranger.home.join(consortium.genesis, [])
    stranger.home.set_peers([f"{one.home.read_member().node}@127.0.0.1:{one.port}" for one in consortium.members])
    stranger.start()
    try:
        consortium.wait(lambda: height(stranger.url) >= 0, "answer")
        time.sleep(3)
        assert height(stranger.url) == 0
        assert query_nodes([stranger.url]).nodes[0].peers == ()
    finally:
        stranger.stop()


def _twin(consortium: Consortium, victim: Institution) -> Institution:
    """Another node with the same validator key."""
    twin = consortium.spare
    twin.home.join(consortium.genesis, [])
    shutil.copy(victim.home.home / "keys" / "validator.json", twin.home.home / "keys" / "validator.json")
    nodes = [member.home.read_member().node for member in consortium.members]
    twin.home.set_peers(
        [f"{node}@127.0.0.1:{one.port}" for node, one in zip(nodes, consortium.members, strict=True) if one != victim]
    )
    return twin


def _power(consortium: Consortium, member: Institution) -> int:
    """What the others' ledger and their nodes say of a validator; -1 while they differ."""
    ledger = consortium.members[0].ledger()
    said = cbor.decode(ledger.state(b"institution/" + member.name.encode()) or b"")
    ledger.close()
    key = base64.b64decode(_validator_key(member.home))
    voting = dict(query_nodes([consortium.members[0].url]).nodes[0].validators).get(key.hex(), 0)
    return int(voting) if voting == said["power"] else -1


def _validator_key(home: ValidatorHome) -> str:
    return str(json.loads((home.home / "keys" / "validator.json").read_text())["pub_key"]["value"])


def _evidence(consortium: Consortium, member: Institution) -> bool:
    """Whether some block holds evidence against a validator."""
    client = NodeClient(consortium.members[0].url)
    address = json.loads((member.home.home / "keys" / "validator.json").read_text())["address"]
    for number in range(consortium.heights()[0], 0, -1):
        for one in client.call("block", height=str(number))["block"]["evidence"]["evidence"] or []:
            if one["value"]["vote_a"]["validator_address"] == address:
                client.close()
                return True
    client.close()
    return False
