from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledgers import START, Chain, Desk, accesses, batch, change, consent, genesis
from xinglin.core.errors import Conflict, NotFound
from xinglin.ledger import Code, Machine, Store, app_hash_of, digest_of


def test_executing_alone_changes_nothing_durable(chain: Chain) -> None:
    before = chain.machine.info()
    first = chain.machine.execute(1, START, [Desk().sign("AccessBatch", accesses(1))])
    again = Machine(Store(chain.path))
    assert again.info() == before
    assert again.execute(1, START, [Desk().sign("AccessBatch", accesses(1))]) == first
    again.commit()
    assert Machine(Store(chain.path)).info() == (1, first.app_hash)


def test_a_block_is_executed_again_when_it_was_not_committed(chain: Chain) -> None:
    transaction = Desk().sign("AccessBatch", accesses(1))
    chain.machine.execute(1, START, [Desk().sign("AccessBatch", accesses(2))])
    second = chain.machine.execute(1, START, [transaction])
    chain.machine.commit()
    assert chain.machine.info() == (1, second.app_hash)
    assert chain.store.reader.entry(second.app_hash) is None
    assert chain.machine.header.size == 1


def test_the_app_hash_says_neither_height_nor_time(chain: Chain) -> None:
    chain.block(Desk().sign("AccessBatch", accesses(1)))
    before = chain.machine.header
    chain.time += 100
    chain.block()
    after = chain.machine.header
    assert (after.height, after.time) == (2, START + 100)
    assert after.app_hash == before.app_hash == app_hash_of(after.log_root, after.state_root)


def test_only_the_next_height_is_executed_and_only_what_was_executed_is_committed(chain: Chain) -> None:
    with pytest.raises(Conflict, match="does not follow"):
        chain.machine.execute(2, START, [])
    with pytest.raises(Conflict, match="no executed block"):
        chain.machine.commit()


def test_two_machines_on_one_store_do_not_both_commit_a_height(chain: Chain) -> None:
    other = Machine(Store(chain.path))
    for machine in (chain.machine, other):
        machine.execute(1, START, [])
    chain.machine.commit()
    with pytest.raises(Conflict, match="another process committed"):
        other.commit()
    other.refresh()
    other.execute(2, START, [])
    assert other.commit().height == 2


def test_a_chain_begins_once(chain: Chain) -> None:
    assert chain.machine.genesis(genesis()) == chain.machine.header.app_hash
    with pytest.raises(Conflict, match="another genesis"):
        chain.machine.genesis(genesis(other=1))


def test_a_machine_without_a_genesis_says_so(tmp_path: Path) -> None:
    machine = Machine(Store(tmp_path / "ledger.sqlite"))
    assert machine.info() == (0, b"")
    with pytest.raises(NotFound, match="no genesis"):
        machine.execute(1, START, [])


def test_a_transaction_twice_in_a_block_is_executed_once(chain: Chain) -> None:
    transaction = Desk().sign("AccessBatch", accesses(1))
    result = chain.block(transaction, transaction)
    assert result.codes == (Code.OK, Code.REPLAYED_SEQ)
    assert result.indexes == (0, None)


def test_what_was_verified_on_arrival_is_not_verified_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    transaction = Desk().sign("AccessBatch", accesses(1))
    assert chain.machine.check(transaction, START) is Code.OK
    monkeypatch.setattr("xinglin.ledger.transactions.signatures._verify", lambda *_: pytest.fail("verified again"))
    assert chain.code(transaction) is Code.OK


def test_what_is_foreseen_is_verified_once_and_judged_like_anything_else(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, other = (Desk().sign("AccessBatch", accesses(number)) for number in (1, 2))
    bad = other[:-1] + bytes([other[-1] ^ 1])
    chain.machine.verify_ahead([good, bad, b"no transaction", Desk("nobody").sign("AccessBatch", accesses(3))])
    monkeypatch.setattr("xinglin.ledger.transactions.signatures._verify", lambda *_: pytest.fail("verified again"))
    codes = [chain.machine.check(one, START) for one in (good, bad, b"no transaction", bad)]
    assert codes == [Code.OK, Code.BAD_SIGNATURE, Code.MALFORMED, Code.BAD_SIGNATURE]


def test_what_is_asked_about_again_and_again_is_read_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinglin.ledger.transactions.signatures._REMEMBERED", 10)
    desk, cache = Desk(), chain.machine.cache
    waiting = desk.sign("AccessBatch", accesses(0))
    first = cache.open(waiting)
    for number in range(1, 60):
        cache.open(desk.sign("AccessBatch", accesses(number)))
        assert number % 8 or cache.open(waiting) is first
    assert len(cache._opened) + len(cache._before) <= 20


def test_a_signature_is_remembered_for_its_key_alone(consortium: Chain) -> None:
    opened = consortium.machine.cache.open(Desk("lab").sign("AccessBatch", accesses(1)))
    keys = {one.name: one.public_key for one in genesis(clinic=1, lab=1).institutions}
    assert consortium.machine.cache.signed_by(opened, keys["lab"])
    for _ in range(2):
        assert not consortium.machine.cache.signed_by(opened, keys["clinic"])
        assert consortium.machine.cache.signed_by(opened, keys["lab"])


def test_a_large_block_is_verified_on_every_core_and_its_bad_signatures_are_found(chain: Chain) -> None:
    desk = Desk()
    good = [desk.sign("AccessBatch", accesses(number)) for number in range(60)]
    mixed = [one if number % 7 else one[:-1] + bytes([one[-1] ^ 1]) for number, one in enumerate(good)]
    expected = [Code.OK if number % 7 else Code.BAD_SIGNATURE for number in range(60)]
    assert chain.codes(*mixed) == expected


REPLAY = """
import sys
from pathlib import Path
from tests.unit.ledger.state.test_machine import history
print(history(Path(sys.argv[1])))
"""


def history(folder: Path) -> str:
    """The app hash after one chain of everything."""
    chain = Chain(folder, clinic=3, hospital=5, lab=4, region=4)
    desks = {name: Desk(name) for name in ("region", "lab", "hospital", "clinic")}
    for height in range(1, 6):
        chain.time = START + 60 * height
        transactions = [desk.sign("AccessBatch", accesses(height, name.encode().ljust(16)))
                        for name, desk in desks.items()]  # fmt: skip
        transactions += [desk.sign("DataAnchor", batch(height, site=f"{name}-site")) for name, desk in desks.items()]
        proposal = desks["hospital"].sign("InstitutionPropose", change("power", "lab", height))
        transactions.append(proposal)
        for name in ("clinic", "region", "lab"):
            vote = {"proposal": digest_of(proposal), "approve": True}
            transactions.append(desks[name].sign("InstitutionVote", vote))
        body = {**consent(height), "handle": bytes([height]) * 16}
        transactions.append(desks["clinic"].sign("ConsentPut", body))
        chain.block(*transactions)
    return chain.machine.info()[1].hex()


def test_the_same_transactions_give_the_same_app_hash_whatever_the_surroundings(tmp_path: Path) -> None:
    settings = [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Apia", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONOPTIMIZE": "1"},
    ]
    found = {history(tmp_path)}
    for number, environment in enumerate(settings):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", REPLAY, str(folder)]
        ended = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
        found.add(ended.stdout.strip())
    assert len(found) == 1


def test_the_rules_have_not_changed_since_chains_exist_that_follow_them(tmp_path: Path) -> None:
    # Changed rules must come under a new version of the envelope, or old chains could not be replayed.
    assert history(tmp_path) == "69b57a46e74ea824663a26ee82c8248587611f9223247dd278709baf7935f7cb"


def test_how_transactions_are_grouped_into_blocks_does_not_change_the_app_hash(tmp_path: Path) -> None:
    desk = Desk()
    transactions = [desk.sign("AccessBatch", accesses(number)) for number in range(12)]
    transactions += [desk.sign("DataAnchor", batch(number)) for number in (1, 2, 3)]
    hashes = set()
    for size in (1, 4, 15):
        (tmp_path / str(size)).mkdir()
        chain = Chain(tmp_path / str(size))
        for start in range(0, 15, size):
            chain.block(*transactions[start : start + size])
        hashes.add(chain.machine.info()[1])
    assert len(hashes) == 1


def test_made_up_keys_and_bodies_leave_little_in_memory(chain: Chain) -> None:
    desk = Desk()
    long_key = desk.sign("AccessBatch", accesses(1), key_id="k" * 3_000)
    assert chain.machine.check(long_key, START) is Code.MALFORMED
    assert not any(len(key) > 100 for key in chain.machine._entries)
    nested = desk.sign("AccessBatch", {"x": [[]] * 3_000})
    assert chain.machine.check(nested, START) is Code.BAD_BODY
    kept = chain.machine.cache.open(nested).envelope
    assert kept is not None
    assert kept.body == {}


def test_promises_of_numbers_are_bounded(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinglin.ledger.state.machine._REMEMBERED", 10)
    desk = Desk()
    for number in range(25):
        assert chain.machine.check(desk.sign("AccessBatch", accesses(number)), START) is Code.OK
    assert len(chain.machine._reserved) <= 10
