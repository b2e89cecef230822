from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest

from tests.ledgers import Chain, Desk, accesses, batch, consent
from xinglin.core.errors import NotFound, VerificationFailed, XinglinError
from xinglin.ledger import check_store, digest_of
from xinglin.ledger.state.reading import LedgerReader


@pytest.fixture
def path(consortium: Chain, tmp_path: Path) -> Path:
    """A closed store with five blocks and nothing in its write-ahead log."""
    desk = Desk("lab")
    for number in range(1, 6):
        transactions = [desk.sign("DataAnchor", batch(number)), desk.sign("AccessBatch", accesses(number))]
        handle = bytes([number]) * 16
        transactions.append(desk.sign("ConsentPut", {**consent(number), "handle": handle}))
        consortium.block(*transactions, misbehaviour=(bytes(20),) if number == 3 else ())
    consortium.store.close()
    return consortium.path


def test_a_sound_store_passes(path: Path) -> None:
    assert (check_store(path).height, check_store(path).size) == (5, 15)


def _flip(value: object) -> object:
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 4]) + value[middle + 1 :]
    return int(str(value)) ^ 1


DAMAGES = [
    ("entry", "bytes", "number = 7", "transaction 7 of"),
    ("entry", "digest", "number = 7", "transaction 7 of"),
    ("entry", "height", "number = 7", "block 2 of"),
    ("block", "time", "height = 3", "block 3 of"),
    ("block", "size", "height = 3", "block 3 of"),
    ("block", "log_root", "height = 3", "block 3 of"),
    ("block", "state_root", "height = 3", "block 3 of"),
    ("block", "root_node", "height = 3", "block 3 of"),
    ("block", "digest", "height = 3", "block 3 of"),
    ("block", "app_hash", "height = 0", "block 0 of"),
    ("block", "misbehaviour", "height = 3", "block 3 of"),
    ("subtree", "hash", "place = 5", "log subtree 5 of"),
    ("node", "bytes", "number = 3", "state node 3 of"),
    ("replaced", "numbers", "place = 3 << 20", "the table of replaced state nodes of"),
    ("state", "value", "key = CAST('site/lab' AS BLOB)", "state value site/lab of"),
    ("state", "key", "key = CAST('site/lab' AS BLOB)", "state value site"),
    ("meta", "value", "name = 'genesis'", "the genesis of"),
]


@pytest.mark.parametrize(("table", "column", "where", "named"), DAMAGES)
def test_a_changed_item_is_named(path: Path, table: str, column: str, where: str, named: str) -> None:
    with sqlite3.connect(path) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (_flip(value),))
    connection.close()
    with pytest.raises(VerificationFailed, match=f"^{named}"):
        check_store(path)


def test_a_transaction_that_somebody_wrote_again_with_its_digest_is_named(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        (content,) = connection.execute("SELECT bytes FROM entry WHERE number = 4").fetchone()
        forged = content.replace(b"\x03\xe8", b"\x03\xe7", 1)
        assert forged != content
        row = (forged, digest_of(forged))
        connection.execute("UPDATE entry SET bytes = ?, digest = ? WHERE number = 4", row)
    connection.close()
    with pytest.raises(VerificationFailed, match=r"transaction 4 of .* the signature is invalid"):
        check_store(path)


@pytest.mark.parametrize("table", ["entry", "block", "subtree", "node", "state", "replaced"])
def test_a_missing_last_item_is_noticed(path: Path, table: str) -> None:
    with sqlite3.connect(path) as connection:
        first = {
            "entry": "number",
            "block": "height",
            "subtree": "place",
            "node": "number",
            "state": "key",
            "replaced": "place",
        }[table]
        connection.execute(f"DELETE FROM {table} WHERE {first} = (SELECT max({first}) FROM {table})")
    connection.close()
    with pytest.raises(VerificationFailed):
        check_store(path)


def test_bytes_flipped_anywhere_in_the_file_never_pass_as_another_content(path: Path, tmp_path: Path) -> None:
    sound = check_store(path)
    whole, random = path.read_bytes(), Random(7)
    noticed = 0
    for number in range(25):
        copy = tmp_path / f"copy-{number}.sqlite"
        place = random.randrange(100, len(whole))
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << random.randrange(8))]) + whole[place + 1 :])
        try:
            # What lies between SQLite's rows may be anything.
            assert check_store(copy) == sound
        except XinglinError:
            noticed += 1
    assert noticed


def test_a_store_rolled_back_is_right_in_itself_and_so_passes(consortium: Chain, tmp_path: Path) -> None:
    desk = Desk("lab")
    consortium.block(desk.sign("AccessBatch", accesses(1)))
    consortium.store.close()
    earlier = tmp_path / "earlier.sqlite"
    shutil.copy(consortium.path, earlier)
    assert check_store(earlier).height == 1


def _broken(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(sql)
    connection.close()


def test_a_ledger_that_is_not_there_is_begun_and_no_file_is_left(tmp_path: Path) -> None:
    for ask in (check_store, LedgerReader):
        with pytest.raises(NotFound, match="no ledger here") as missing:
            ask(tmp_path / "ledger.sqlite")
        assert "xinglin ledger anchor" in missing.value.remedy
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("sql", ["DROP TABLE entry", "DELETE FROM meta", "DELETE FROM block"])
def test_whoever_audits_a_broken_store_is_told_what_to_do(path: Path, sql: str) -> None:
    _broken(path, sql)
    with pytest.raises(VerificationFailed) as damaged:
        check_store(path)
    assert "xinglin backup restore" in damaged.value.remedy


def test_whoever_reads_a_broken_store_is_told_what_to_do(path: Path) -> None:
    reading = LedgerReader(path)
    _broken(path, "DELETE FROM meta")
    with pytest.raises(VerificationFailed, match="genesis is missing") as damaged:
        reading.genesis()
    assert "xinglin backup restore" in damaged.value.remedy
    _broken(path, "DELETE FROM block")
    with pytest.raises(NotFound, match="has no block yet") as empty:
        reading.header()
    assert "xinglin ledger audit" in empty.value.remedy
    reading.close()
