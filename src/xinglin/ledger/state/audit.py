"""Audit a ledger: execute it again from its genesis and compare every stored item."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.codes import Code
from xinglin.ledger.port import Header
from xinglin.ledger.state.audit_nodes import compare_nodes
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.state.machine import Machine
from xinglin.ledger.state.sqlite_errors import RESTORE, ledger_errors, require_file
from xinglin.ledger.state.store import Rows, Store
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import digest_of

__all__ = ["check_store"]

_TABLES = {
    "meta": ("name", "fact"),
    "block": ("height", "block"),
    "entry": ("number", "transaction"),
    "subtree": ("place", "log subtree"),
    "state": ("key", "state value"),
}

Row = tuple[Any, ...]


def check_store(path: Path) -> Header:
    """Execute all stored transactions again in a scratch store and compare both stores item by item.

    Verifies every signature and computes every hash again. It does not detect a store that was replaced or rolled back
    to another consistent state: only an external checkpoint does. The same holds for a damaged write-ahead log, because
    SQLite drops everything after the damage, which is a rollback.

    Args:
        path: The ledger's SQLite file, which is only read.

    Returns:
        Header of the last block.

    Raises:
        VerificationFailed: Names the first damaged item.
        StorageError: The file cannot be read.
    """
    require_file(path)
    store = Store(path)
    try:
        with TemporaryDirectory(prefix="xinglin-ledger-") as folder, ledger_errors(path):
            scratch = Store(Path(folder) / "scratch.sqlite", kept=0)
            scratch.writer.connection.execute("PRAGMA synchronous = OFF")
            store.reader.connection.execute("BEGIN")
            try:
                return _check(store.reader, scratch, str(path))
            finally:
                scratch.close()
    finally:
        store.close()


def _check(rows: Rows, scratch: Store, source: str) -> Header:
    machine = Machine(scratch)
    try:
        machine.genesis(Genesis.from_json(rows.meta("genesis") or b""))
    except Exception as error:
        raise _bad("the genesis", "it cannot be read", source) from error
    connection = rows.connection
    for number, digest, content in _all(connection, "SELECT number, digest, bytes FROM entry ORDER BY number"):
        if type(content) is not bytes or digest_of(content) != digest:
            raise _bad(f"transaction {number}", "its bytes do not match its digest", source)
    for row in _all(connection, "SELECT height, time, misbehaviour FROM block WHERE height > 0 ORDER BY height"):
        _replay(machine, connection, row, source)
        _compare_blocks(rows, scratch.writer, row[0], source)
    for table, (key, name) in _TABLES.items():
        _compare_tables(connection, scratch.writer.connection, table, key, name, source)
    compare_nodes(connection, scratch.writer.connection, lambda what, why: _bad(what, why, source))
    integrity = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if integrity != "ok":
        raise _bad("the file's structure", integrity, source)
    return machine.header


def _replay(machine: Machine, connection: sqlite3.Connection, row: Row, source: str) -> None:
    height, time, misbehaviour = row
    sql = "SELECT number, bytes FROM entry WHERE height = ? ORDER BY number"
    entries = connection.execute(sql, (height,)).fetchall()
    try:
        offenders = cbor.decode(misbehaviour)
        result = machine.execute(height, time, [content for _, content in entries], offenders)
    except Exception as error:
        raise _bad(f"block {height}", "it cannot be executed again", source) from error
    for (number, _), code in zip(entries, result.codes, strict=True):
        if code is not Code.OK:
            raise _bad(f"transaction {number}", f"it is refused when executed again: {code.reason}", source)
    machine.commit()


def _compare_blocks(rows: Rows, again: Rows, height: int, source: str) -> None:
    kept, made = rows.header(height), again.header(height)
    if kept is None or made is None:
        raise _bad(f"block {height}", "it is missing", source)
    for field in ("size", "log_root", "state_root", "app_hash"):
        if getattr(kept, field) != getattr(made, field):
            raise _bad(f"block {height}", f"its {field} does not follow from its transactions", source)
    if rows.digest(height) != again.digest(height):
        raise _bad(f"block {height}", "its time, misbehaviour or digest was changed", source)


def _compare_tables(
    kept: sqlite3.Connection, made: sqlite3.Connection, table: str, key: str, name: str, source: str
) -> None:
    sql = f"SELECT {key}, * FROM {table} ORDER BY {key}"
    for one, other in zip_longest(_all(kept, sql), _all(made, sql)):
        if one != other:
            place = _named(
                min((row[0] for row in (one, other) if row is not None), key=lambda one: (str(type(one)), one))
            )
            raise _bad(f"{name} {place}", "it does not follow from the transactions", source)


def _named(key: object) -> str:
    return ascii(key.decode("utf-8", "replace")).strip("'") if isinstance(key, bytes) else str(key)


def _all(connection: sqlite3.Connection, sql: str) -> Iterator[Row]:
    yield from connection.execute(sql)


def _bad(what: str, why: str, source: str) -> VerificationFailed:
    return VerificationFailed(f"{what} of the ledger is damaged: {why}", source=source, remedy=RESTORE)
