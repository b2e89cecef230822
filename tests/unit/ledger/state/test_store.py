from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ledgers import Chain, Desk, accesses
from xinglin.core.errors import LedgerUnavailable, NotFound, StorageError, VerificationFailed
from xinglin.ledger import Store
from xinglin.ledger.state.log import append
from xinglin.ledger.state.reading import LedgerReader
from xinglin.ledger.state.sqlite_errors import ledger_errors
from xinglin.ledger.state.store import _place


def test_a_block_is_there_wholly_or_not_at_all(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.machine.execute(1, chain.time, [Desk().sign("AccessBatch", accesses(1))])
    insert = chain.store._insert

    def fail(*arguments: object) -> None:
        insert(*arguments)
        raise sqlite3.OperationalError("the power failed")

    with monkeypatch.context() as patch:
        patch.setattr(chain.store, "_insert", fail)
        with pytest.raises(StorageError, match="the power failed"):
            chain.machine.commit()
    counts = [chain.store.writer.connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
              for name in ("block", "entry", "subtree")]  # fmt: skip
    assert counts == [1, 0, 0]
    assert chain.code(Desk().sign("AccessBatch", accesses(1))) == 0


def test_keys_with_a_prefix_come_in_order(chain: Chain) -> None:
    keys = [key for key, _ in chain.store.reader.scan(b"")]
    assert keys == sorted(keys)
    assert len(keys) == 4
    assert [key for key, _ in chain.store.reader.scan(b"institution/")] == [b"institution/hospital"]
    assert list(chain.store.reader.scan(b"institution/\xff")) == []


def test_every_thread_reads_by_itself_and_leaves_nothing_behind(chain: Chain) -> None:
    found: list[bytes | None] = []
    for _ in range(20):
        thread = threading.Thread(target=lambda: found.append(chain.store.reader.state(b"chain")))
        thread.start()
        thread.join()
    gc.collect()
    assert found == [chain.store.reader.state(b"chain")] * 20
    assert len(chain.store._readers) <= 1


def test_subtrees_are_numbered_in_the_order_in_which_they_are_completed() -> None:
    subtrees = append(0, [bytes(32)] * 300, {}.__getitem__)
    assert [_place(*subtree) for subtree in subtrees] == list(range(len(subtrees)))


def test_what_is_missing_is_named(chain: Chain) -> None:
    for missing in (lambda: chain.store.reader.node(99), lambda: chain.store.reader.subtree(1, 7)):
        with pytest.raises(VerificationFailed, match="is missing"):
            missing()
    with pytest.raises(VerificationFailed, match="block 9 is missing"):
        chain.store.reader.state_root(9)


def test_a_mark_differs_after_every_commit_also_where_a_process_died_at_one(chain: Chain) -> None:
    other = Store(chain.path)
    counter = chain.path.with_suffix(".version")
    marks = [other.mark()]

    def commit() -> None:
        chain.code(Desk().sign("AccessBatch", accesses(len(marks))))
        marks.append(other.mark())
        assert other.mark() == marks[-1] and other.reader.header() == chain.store.reader.header()

    commit()
    # Died before its commit could be seen, and after.
    for _ in range(2):
        odd = int.from_bytes(counter.read_bytes()[:8], "little") | 1
        with counter.open("r+b") as file:
            file.write(odd.to_bytes(8, "little"))
        marks.append(other.mark())
        with sqlite3.connect(chain.path, isolation_level=None) as dying:
            dying.execute("INSERT INTO meta VALUES (?, x'00')", (str(odd),))
        marks.append(other.mark())
        commit()
    assert len(set(marks)) == len(marks)
    other.close()


def test_opening_a_store_mends_a_number_that_was_left_odd(chain: Chain) -> None:
    with chain.path.with_suffix(".version").open("r+b") as file:
        file.write((7).to_bytes(8, "little"))
    assert chain.store.mark() != 8
    Store(chain.path).close()
    assert chain.store.mark() == 8


def test_a_commit_that_can_be_seen_and_is_not_told_yet_changes_the_mark(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment between the commit and the even number: nobody may take the old state for the present one."""
    other, seen = Store(chain.path), []
    before = other.mark()
    changing = chain.store._counter.changing

    @contextmanager
    def watched() -> Iterator[None]:
        with changing():
            seen.append(other.mark())
            yield
            seen.append(other.mark())

    monkeypatch.setattr(chain.store._counter, "changing", watched)
    chain.code(Desk().sign("AccessBatch", accesses(1)))
    assert len({before, *seen, other.mark()}) == 4
    other.close()


def test_the_refusals_of_sqlite_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Store(path).close()
    with pytest.raises(StorageError), ledger_errors(path):
        sqlite3.connect(tmp_path / "nowhere" / "file").execute("SELECT 1")
    holder, other = (sqlite3.connect(path, timeout=0, isolation_level=None) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="another process"), ledger_errors(path):
        other.execute("BEGIN IMMEDIATE")
    holder.close()
    other.close()


def test_a_store_without_a_genesis_is_no_ledger_yet(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no ledger here"):
        LedgerReader(tmp_path / "ledger.sqlite")
    Store(tmp_path / "ledger.sqlite").close()
    reading = LedgerReader(tmp_path / "ledger.sqlite")
    with pytest.raises(NotFound, match="no genesis"):
        _ = reading.chain_id
    reading.close()
