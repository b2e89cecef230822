from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.ledgers import CHAIN, START, Desk, TurnedClock, accesses, genesis
from xinglin.core.clock import system_clock
from xinglin.core.errors import Conflict, LedgerUnavailable, NotFound, VerificationFailed
from xinglin.ledger import Code, EmbeddedLedger, Genesis, check_store, digest_of
from xinglin.ledger.state import store

from .embedded_worker import PLACES

WORKER = [sys.executable, "-m", "tests.unit.ledger.embedded_worker"]
# Each place once; XINGLIN_KILLS=200 for a long run.
KILLS = int(os.environ.get("XINGLIN_KILLS", "7"))


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: TurnedClock) -> Iterator[EmbeddedLedger]:
    made = EmbeddedLedger.create(tmp_path / "ledger", genesis(), clock)
    yield made
    made.close()


def _folder(tmp_path: Path) -> Path:
    """A ledger that real time runs in, and a place for what is handed in."""
    (tmp_path / "handed-in").mkdir()
    begun = replace(genesis(), time=int(time.time()) - 60)
    EmbeddedLedger.create(tmp_path / "ledger", begun, system_clock).close()
    return tmp_path


def test_a_block_is_never_earlier_than_the_one_before(ledger: EmbeddedLedger, clock: TurnedClock) -> None:
    desk = Desk()
    clock.seconds = START + 100
    ledger.submit([desk.sign("AccessBatch", accesses(1))])
    clock.seconds = START + 50
    ledger.submit([desk.sign("AccessBatch", accesses(2))])
    assert [ledger.header(height).time for height in (0, 1, 2)] == [START, START + 100, START + 100]


def test_handing_in_again_is_answered_even_when_the_transaction_has_expired_since(
    ledger: EmbeddedLedger, clock: TurnedClock
) -> None:
    transaction = Desk().sign("AccessBatch", accesses(1))
    first = ledger.submit([transaction])
    clock.seconds += 100_000
    assert ledger.submit([transaction]) == first
    assert ledger.submit([transaction[:-1] + b"x"])[0].code is Code.EXPIRED


def test_a_group_without_any_success_makes_no_block(ledger: EmbeddedLedger) -> None:
    assert ledger.submit([b""])[0].code is Code.MALFORMED
    assert ledger.submit([]) == []
    assert ledger.height() == 0


def test_more_than_a_block_holds_goes_into_several(ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xinglin.ledger.embedded._BLOCK", 10)
    desk = Desk()
    receipts = ledger.submit([desk.sign("AccessBatch", accesses(number)) for number in range(25)])
    assert [receipt.height for receipt in receipts] == [1] * 10 + [2] * 10 + [3] * 5
    assert [receipt.index for receipt in receipts] == list(range(25))


def test_what_threads_hand_in_meanwhile_is_committed_together(ledger: EmbeddedLedger) -> None:
    desk, count = Desk(), 60
    transactions = [desk.sign("AccessBatch", accesses(number)) for number in range(count)]
    codes: list[Code] = []
    threads = [
        threading.Thread(target=lambda one=one: codes.append(ledger.submit([one])[0].code)) for one in transactions
    ]
    # While somebody else writes, everybody queues.
    ledger._store.begin()
    with ledger._leading:
        for thread in threads:
            thread.start()
        while len(ledger._queue) < count:
            time.sleep(0.001)
        ledger._store.rollback()
    for thread in threads:
        thread.join()
    assert codes == [Code.OK] * count
    assert ledger.height() == 1


def test_what_fails_is_told_to_everybody_who_waited_and_leaves_the_ledger_whole(
    ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction = Desk().sign("AccessBatch", accesses(1))
    with monkeypatch.context() as patch:
        patch.setattr(ledger._store, "_insert", lambda *_: (_ for _ in ()).throw(sqlite3.OperationalError("full")))
        with pytest.raises(store.StorageError, match="full"):
            ledger.submit([transaction])
    assert ledger.height() == 0
    assert ledger.submit([transaction])[0].code is Code.OK


def test_another_process_that_writes_for_too_long_makes_it_unavailable(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.05)
    ledger = EmbeddedLedger.create(tmp_path / "ledger", genesis(), clock)
    other = sqlite3.connect(tmp_path / "ledger" / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable) as unavailable:
        ledger.submit([Desk().sign("AccessBatch", accesses(1))])
    assert unavailable.value.retry
    assert ledger.state(b"chain") is not None
    other.close()
    ledger.close()


def test_a_ledger_begins_once_and_is_opened_again(tmp_path: Path, clock: TurnedClock) -> None:
    with pytest.raises(NotFound, match="no ledger"):
        EmbeddedLedger(tmp_path / "ledger", clock)
    EmbeddedLedger.create(tmp_path / "ledger", genesis(), clock).close()
    again = EmbeddedLedger.create(tmp_path / "ledger", genesis(), clock)
    assert again.chain_id == CHAIN
    assert again.genesis() == genesis() == Genesis.from_json((tmp_path / "ledger" / "genesis.json").read_bytes())
    again.close()
    with pytest.raises(Conflict, match="another genesis"):
        EmbeddedLedger.create(tmp_path / "ledger", genesis(other=1), clock)


def test_a_file_that_is_no_ledger_says_so(tmp_path: Path, clock: TurnedClock) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"something else, long enough to be read as a header" * 100)
    with pytest.raises(VerificationFailed, match="damaged"):
        EmbeddedLedger(tmp_path, clock)


def test_every_process_sees_what_the_others_commit(ledger: EmbeddedLedger, tmp_path: Path, clock: TurnedClock) -> None:
    other, desk = EmbeddedLedger(tmp_path / "ledger", clock), Desk()
    for number in range(6):
        writer, reader = (ledger, other) if number % 2 else (other, ledger)
        before = reader.mark()
        [receipt] = writer.submit([desk.sign("AccessBatch", accesses(number))])
        assert reader.mark() != before
        assert reader.transaction(receipt.digest) == writer.transaction(receipt.digest)
        assert reader.mark() == reader.mark()
    other.close()
    assert check_store(tmp_path / "ledger" / "ledger.sqlite").size == 6


def test_processes_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    command = [*WORKER, str(folder), "never", "15"]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    acknowledged = [digest for worker in workers for digest in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(acknowledged) == len(set(acknowledged)) == 3 * 15 * 4
    assert check_store(folder / "ledger" / "ledger.sqlite").size == len(acknowledged)


def test_nothing_acknowledged_is_lost_or_doubled_when_the_process_is_killed(tmp_path: Path) -> None:
    folder, random = _folder(tmp_path), Random(5)
    acknowledged: set[bytes] = set()
    for number in range(KILLS):
        where = list(PLACES)[number % len(PLACES)]
        command = [*WORKER, str(folder), where, str(random.randint(1, 6))]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == -9, ended.stderr
        acknowledged |= set(map(bytes.fromhex, ended.stdout.split()))
        ledger = EmbeddedLedger(folder / "ledger", system_clock)
        assert all(map(ledger.transaction, acknowledged))
        # Whoever did not see a receipt hands in again.
        handed_in = {digest_of(path.read_bytes()): path.read_bytes() for path in (folder / "handed-in").iterdir()}
        again = ledger.submit([handed_in[digest] for digest in sorted(handed_in.keys() - acknowledged)])
        assert {receipt.code for receipt in again} <= {Code.OK}
        acknowledged |= {receipt.digest for receipt in again}
        ledger.close()
    assert check_store(folder / "ledger" / "ledger.sqlite").size == len(acknowledged) > 0


def test_a_ledger_that_lost_its_genesis_file_at_its_beginning_goes_on(tmp_path: Path, clock: TurnedClock) -> None:
    folder = tmp_path / "ledger"
    assert EmbeddedLedger.resume(folder, clock) is None
    EmbeddedLedger.create(folder, genesis(), clock).close()
    (folder / "genesis.json").unlink()
    resumed = EmbeddedLedger.resume(folder, clock)
    assert resumed is not None
    assert resumed.genesis() == genesis()
    assert (folder / "genesis.json").read_text() == genesis().to_json()
    resumed.close()
    folder.joinpath("ledger.sqlite").unlink()
    store.Store(folder / "ledger.sqlite").close()
    assert EmbeddedLedger.resume(folder, clock) is None
