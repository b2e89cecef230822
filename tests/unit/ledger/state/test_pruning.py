from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledgers import Chain, Desk, accesses, batch, consent, filled, genesis
from xinglin.core.errors import StorageError, VerificationFailed
from xinglin.ledger import Machine, Store, check_store
from xinglin.ledger.state import pruning
from xinglin.ledger.state.authmap import check_proof
from xinglin.ledger.state.pruning import LEAST, StatePruned, bits_of, oldest
from xinglin.ledger.state.reading import LedgerReader

KEPT = 3


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget at every block, and few at a time, so that short chains see all of it."""
    monkeypatch.setattr(pruning, "_ROWS", 1)
    monkeypatch.setattr(pruning, "_BATCH", 64)


def _pruning(folder: Path, kept: int = KEPT) -> Chain:
    chain = Chain(folder)
    chain.store.close()
    chain.store = Store(chain.path, kept)
    chain.machine = Machine(chain.store)
    return chain


def _grow(chain: Chain, blocks: int, size: int = 12) -> Iterator[int]:
    desk = Desk(numbers=iter(range(chain.machine.header.size, 10**6)))
    for _ in range(blocks):
        first = chain.machine.header.size
        chain.block(*(desk.sign("AccessBatch", accesses(first + number)) for number in range(size)))
        yield chain.machine.header.height


def _nodes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute("SELECT count(*) FROM node").fetchone()[0]
    return count


def _live(path: Path) -> int:
    """Nodes of the last state: a leaf for each entry, and the inner nodes above them."""
    with closing(sqlite3.connect(path)) as connection:
        nodes = dict(connection.execute("SELECT number, bytes FROM node"))
        waiting = list(connection.execute("SELECT root_node FROM block ORDER BY height DESC LIMIT 1").fetchone())
    count = 0
    while waiting:
        body = nodes[waiting.pop()]
        count += 1
        if body[0] == 1:
            waiting += [child for child in (int.from_bytes(body[65:73]), int.from_bytes(body[73:81])) if child]
    return count


def test_the_last_states_stay_provable_and_older_ones_say_that_they_are_forgotten(tmp_path: Path) -> None:
    chain = _pruning(tmp_path)
    reading = LedgerReader(chain.path)
    keys = [b"chain", b"institution/hospital", b"nobody"]
    for height in _grow(chain, 40):
        keys.append(f"access/{bytes(16).hex()}/{filled(chain.machine.header.size - 1).hex()}".encode())
        for past in range(max(0, height - KEPT + 1), height + 1):
            for key in keys[-5:] + keys[:3]:
                proof = reading.state_proof(key, past)
                check_proof(proof)
                assert proof.root == reading.header(past).state_root
        assert reading.state_proof(keys[-1]).value == reading.state(keys[-1])
    with pytest.raises(StatePruned, match="was pruned") as forgotten:
        reading.state_proof(keys[0], 30)
    assert forgotten.value.retry
    reading.close()
    assert check_store(chain.path).height == 40


def test_a_transaction_of_any_age_is_proved(tmp_path: Path) -> None:
    chain = _pruning(tmp_path)
    transactions = [Desk(numbers=iter([number])).sign("AccessBatch", accesses(number)) for number in range(50)]
    for transaction in transactions:
        chain.block(transaction)
    reading = LedgerReader(chain.path)
    for number, transaction in enumerate(transactions):
        proof = reading.log_proof(chain.machine.cache.open(transaction).digest)
        assert (proof.index, proof.size) == (number, 50)
    reading.close()


def test_what_is_dead_takes_no_more_room_than_what_lives(tmp_path: Path) -> None:
    chain = _pruning(tmp_path, LEAST)
    for _ in _grow(chain, 120):
        pass
    live, kept = _live(chain.path), _nodes(chain.path)
    everything = chain.store.writer.nodes()
    assert everything > 3 * live
    # A bitmap is swept when half of what it stands for is dead; the chunk that grows is not full yet.
    assert kept <= 2 * live + 2 * pruning.CHUNK


def test_the_app_hash_does_not_depend_on_what_is_forgotten(tmp_path: Path) -> None:
    hashes = []
    for kept in (0, 2, 5):
        folder = tmp_path / str(kept)
        folder.mkdir()
        chain = _pruning(folder, kept)
        desk = Desk()
        for number in range(1, 40):
            chain.block(desk.sign("DataAnchor", batch(number)), desk.sign("AccessBatch", accesses(number)))
        body = {**consent(1), "handle": bytes(16)}
        chain.block(desk.sign("ConsentPut", body))
        hashes.append([chain.store.writer.header(height) for height in range(41)])
        assert check_store(chain.path).height == 40
    assert hashes[0] == hashes[1] == hashes[2]
    assert _nodes(tmp_path / "0" / "ledger.sqlite") > 2 * _nodes(tmp_path / "2" / "ledger.sqlite")


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 6)), min_size=4, max_size=12))
def test_blocks_of_any_size_under_any_setting_leave_a_sound_store(tmp_path_factory, blocks) -> None:
    chain = Chain(tmp_path_factory.mktemp("any"))
    desk, number = Desk(), 0
    for size, kept in blocks:
        # The setting may change between one block and the next.
        chain.store._kept = kept
        chain.block(*(desk.sign("AccessBatch", accesses(number + one)) for one in range(size)))
        number += size
    last = chain.machine.header.height
    first = oldest(chain.store.writer.connection)
    assert first <= max(0, last - LEAST + 1)
    reading = LedgerReader(chain.path)
    for height in range(first, last + 1):
        check_proof(reading.state_proof(b"chain", height))
    reading.close()
    chain.store.close()
    assert check_store(chain.path).size == number


def test_no_block_forgets_more_than_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = _pruning(tmp_path, kept=0)
    for _ in _grow(chain, 60):
        pass
    chain.store._kept = KEPT
    waiting, before = [], _nodes(chain.path)
    for _ in _grow(chain, 60, size=1):
        now = _nodes(chain.path)
        waiting.append(before - now)
        before = now
    # Bitmaps are swept whole.
    assert 0 < max(waiting) <= 64 + 2 * 20 + pruning.CHUNK
    assert sum(one > 0 for one in waiting) > 3


DAMAGES = {
    "a node that is needed": ("DELETE FROM node WHERE number = (SELECT max(number) - 1 FROM node)", "state node"),
    "a node that is not": ("INSERT INTO node VALUES (6, x'00')", "state node 6 "),
    "a live one marked dead": (
        "INSERT OR REPLACE INTO dead SELECT max(number) >> 10, x'ffffffff', 32, 1024 FROM node",
        "state node|the bitmap of pruned",
    ),
    "a count of the marked": ("UPDATE dead SET marked = marked + 1 WHERE chunk = 0", "the bitmap of pruned"),
    "a count of the rest": ("UPDATE dead SET remaining = remaining - 1 WHERE chunk = 0", "the bitmap of pruned"),
    "a bitmap": ("DELETE FROM dead WHERE chunk = 0", "state node|the bitmap of pruned"),
    "what a block replaced": ("DELETE FROM replaced WHERE place = (SELECT min(place) FROM replaced)", "state node"),
    "what the last replaced": (
        "DELETE FROM replaced WHERE place = (SELECT max(place) FROM replaced)",
        "the table of replaced",
    ),
    "all that was replaced": ("DELETE FROM replaced", "the table of replaced"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_to_what_is_kept_and_forgotten_is_named(tmp_path: Path, damage: str) -> None:
    chain = _pruning(tmp_path)
    for _ in _grow(chain, 40):
        pass
    chain.store.close()
    sql, named = DAMAGES[damage]
    with closing(sqlite3.connect(chain.path)) as connection, connection:
        assert connection.execute("SELECT count(*) FROM node WHERE number = 6").fetchone() == (0,)
        assert connection.execute(sql).rowcount
    with pytest.raises(VerificationFailed, match=f"^({named})"):
        check_store(chain.path)


def test_the_places_of_a_bitmap_are_its_ones() -> None:
    numbers = [0, 7, 8, 500, 1_023]
    bits = sum(1 << number for number in numbers).to_bytes(128, "little")
    assert list(bits_of(bits)) == numbers


def test_a_file_of_another_form_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Machine(Store(path)).genesis(genesis())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 0")
    with pytest.raises(StorageError, match="another version") as refused:
        Store(path)
    assert "move its folder away" in refused.value.remedy
