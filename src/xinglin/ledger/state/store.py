"""The ledger's store: one SQLite file, one transaction per block, with concurrent readers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from weakref import WeakSet

from xinglin.core.counter import Counter
from xinglin.core.errors import Conflict, StorageError, VerificationFailed
from xinglin.ledger.port import Header, LogEntry
from xinglin.ledger.state import pruning
from xinglin.ledger.state.sqlite_errors import RESTORE, ledger_errors

__all__ = ["NewBlock", "Rows", "Store"]

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE block (
  height INTEGER PRIMARY KEY, time INTEGER NOT NULL, size INTEGER NOT NULL, log_root BLOB NOT NULL,
  state_root BLOB NOT NULL, app_hash BLOB NOT NULL, root_node INTEGER NOT NULL,
  misbehaviour BLOB NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE entry (
  number INTEGER PRIMARY KEY, height INTEGER NOT NULL, digest BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX entry_digest ON entry (digest);
CREATE TABLE subtree (place INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE node (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;
"""
_HEADER = "SELECT height, time, size, log_root, state_root, app_hash FROM block"
_PATIENCE = 30.0
_FORM = 2


@dataclass(frozen=True, slots=True)
class NewBlock:
    """Everything that a block adds to the store.

    Attributes:
        header: Header of the block.
        root_node: Number of the root node of the authenticated map.
        misbehaviour: Addresses of double-signing validators, canonical CBOR.
        digest: SHA-256 over the above and the previous digest. The app hash does not cover the time; this lets `audit`
            detect a changed time.
        entries: (number, digest, transaction) of new log entries.
        subtrees: Completed perfect subtrees, by level and number.
        nodes: New nodes of the authenticated map, by number.
        state: Changed values by key.
        replaced: Numbers of nodes that the map no longer needs.
    """

    header: Header
    root_node: int
    misbehaviour: bytes
    digest: bytes
    entries: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    subtrees: dict[tuple[int, int], bytes] = field(default_factory=dict)
    nodes: dict[int, bytes] = field(default_factory=dict)
    state: dict[bytes, bytes] = field(default_factory=dict)
    replaced: list[int] = field(default_factory=list)


def _place(level: int, number: int) -> int:
    """Number of a perfect subtree in the order of completion, so that the table is append-only."""
    last = ((number + 1) << level) - 1
    return 2 * last - last.bit_count() + level


class Rows:
    """Read access through one connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self._path = path

    def __del__(self) -> None:
        # A thread's connection ends with the thread.
        self.connection.close()

    @contextmanager
    def read_transaction(self) -> Iterator[None]:
        """Read many values in one transaction, in half the time; nothing may be written in it."""
        with ledger_errors(self._path):
            self.connection.execute("BEGIN")
        try:
            yield
        finally:
            with ledger_errors(self._path):
                self.connection.execute("COMMIT")

    def _one(self, sql: str, *values: object) -> tuple[object, ...] | None:
        with ledger_errors(self._path):
            found: tuple[object, ...] | None = self.connection.execute(sql, values).fetchone()
            return found

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A consistent snapshot for all reads in the block."""
        with ledger_errors(self._path):
            self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def header(self, height: int | None = None) -> Header | None:
        """Header of a block; by default of the last one."""
        if height is None:
            row = self._one(f"{_HEADER} ORDER BY height DESC LIMIT 1")
        else:
            row = self._one(f"{_HEADER} WHERE height = ?", height)
        return None if row is None else Header(*row)  # type: ignore[arg-type]

    def digest(self, height: int) -> bytes:
        """A block's digest; empty before the genesis."""
        row = self._one("SELECT digest FROM block WHERE height = ?", height)
        return b"" if row is None else row[0]  # type: ignore[return-value]

    def state(self, key: bytes) -> bytes | None:
        """A value at the last commit."""
        row = self._one("SELECT value FROM state WHERE key = ?", key)
        return None if row is None else row[0]  # type: ignore[return-value]

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, ordered by key."""
        sql = "SELECT key, value FROM state WHERE key >= ? AND substr(key, 1, ?) = ? ORDER BY key"
        end = "SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key"
        last = prefix[:-1] + bytes([prefix[-1] + 1]) if prefix and prefix[-1] < 255 else None
        values = (prefix, last) if last else (prefix, len(prefix), prefix)
        with ledger_errors(self._path):
            yield from self.connection.execute(end if last else sql, values)

    def state_root(self, height: int) -> tuple[bytes, int]:
        """Root of the authenticated map after a block: hash and node number.

        Raises:
            VerificationFailed: There is no such block.
        """
        row = self._one("SELECT state_root, root_node FROM block WHERE height = ?", height)
        if row is None:
            raise self._missing(f"block {height}")
        return row  # type: ignore[return-value]

    def nodes(self) -> int:
        """The highest node number of the authenticated map: the last root, which is never pruned."""
        row = self._one("SELECT coalesce(max(number), 0) FROM node")
        return row[0] if row else 0  # type: ignore[return-value]

    def node(self, number: int) -> bytes:
        """A stored node of the authenticated map.

        Raises:
            VerificationFailed: The node is missing.
        """
        row = self._one("SELECT bytes FROM node WHERE number = ?", number)
        if row is None:
            raise self._missing(f"state node {number}")
        return row[0]  # type: ignore[return-value]

    def subtree(self, level: int, number: int) -> bytes:
        """Root of a stored perfect subtree of the log.

        Raises:
            VerificationFailed: The subtree is missing.
        """
        row = self._one("SELECT hash FROM subtree WHERE place = ?", _place(level, number))
        if row is None:
            raise self._missing(f"log subtree {level}/{number}")
        return row[0]  # type: ignore[return-value]

    def entry(self, digest: bytes) -> LogEntry | None:
        """A log entry by the digest of its transaction."""
        row = self._one("SELECT bytes, number, height FROM entry WHERE digest = ?", digest)
        return None if row is None else LogEntry(*row)  # type: ignore[arg-type]

    def meta(self, name: str) -> bytes | None:
        """Metadata of the store."""
        row = self._one("SELECT value FROM meta WHERE name = ?", name)
        return None if row is None else row[0]  # type: ignore[return-value]

    def _missing(self, what: str) -> VerificationFailed:
        return VerificationFailed(f"{what} is missing in the ledger's file", source=str(self._path), remedy=RESTORE)


class Store:
    """The SQLite file of one ledger: one writer, and one reader per thread.

    Args:
        path: The file; created if missing. Its folder must exist.
        kept: Number of latest blocks whose state can be proved (`pruning.KEPT`); 0 disables pruning.
    """

    def __init__(self, path: Path, kept: int = pruning.KEPT) -> None:
        self.path = path
        self._kept = kept
        self._local = threading.local()
        self._readers: WeakSet[Rows] = WeakSet()
        self._watch = threading.Lock()
        with ledger_errors(path):
            self.writer = Rows(self._connect(), path)
            self._counter = Counter(path.with_suffix(".version"))
            self._create()
            self._watcher = Rows(self._connect(), path)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA cache_size = -32768")
        return connection

    def _create(self) -> None:
        connection = self.writer.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
                connection.execute(f"PRAGMA user_version = {_FORM}")
                for statement in (_TABLES + pruning.TABLES).split(";"):
                    connection.execute(statement)
            elif connection.execute("PRAGMA user_version").fetchone() != (_FORM,):
                raise StorageError(
                    "the ledger's file has the format of another version",
                    source=str(self.path),
                    remedy="use the version that wrote it, or move its folder away and start a new ledger",
                )
            if self._counter.seen() & 1:
                # With the lock held no process is committing, so an odd number was left by a process that ended.
                with self._counter.changing():
                    pass
        finally:
            connection.execute("COMMIT")

    @property
    def reader(self) -> Rows:
        """The reader of this thread."""
        rows: Rows | None = getattr(self._local, "rows", None)
        if rows is None:
            with ledger_errors(self.path):
                rows = self._local.rows = Rows(self._connect(), self.path)
            self._readers.add(rows)
        return rows

    def mark(self) -> object:
        """A token that differs after each commit of any process; usually read in less than a microsecond."""
        seen = self._counter.seen()
        if not seen & 1:
            return seen
        # During a commit, or after its process ended, SQLite knows which commits are visible.
        with self._watch, ledger_errors(self.path):
            version: int = self._watcher.connection.execute("PRAGMA data_version").fetchone()[0]
            return seen, version

    def begin(self) -> None:
        """Take the write lock until `write` or `rollback`."""
        with ledger_errors(self.path):
            self.writer.connection.execute("BEGIN IMMEDIATE")

    def rollback(self) -> None:
        """Release the write lock without writing."""
        if self.writer.connection.in_transaction:
            self.writer.connection.execute("ROLLBACK")

    def write(self, block: NewBlock, meta: dict[str, bytes] | None = None) -> None:
        """Write a block durably and atomically.

        Raises:
            Conflict: Another process committed in the meantime.
        """
        if not self.writer.connection.in_transaction:
            self.begin()
        try:
            last = self.writer.header()
            if block.header.height != (0 if last is None else last.height + 1):
                raise Conflict("another process committed a block in the meantime", source=str(self.path), retry=True)
            with ledger_errors(self.path):
                self._insert(block, meta or {})
                with self._counter.changing():
                    self.writer.connection.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise

    def _insert(self, block: NewBlock, meta: dict[str, bytes]) -> None:
        connection, head = self.writer.connection, block.header
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.execute(
            "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*astuple(head), block.root_node, block.misbehaviour, block.digest),
        )
        connection.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?)",
            ((number, head.height, digest, content) for number, digest, content in block.entries),
        )
        connection.executemany(
            "INSERT INTO subtree VALUES (?, ?)",
            ((_place(*subtree), value) for subtree, value in block.subtrees.items()),
        )
        connection.executemany("INSERT INTO node VALUES (?, ?)", block.nodes.items())
        connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", sorted(block.state.items()))
        pruning.note(connection, head.height, block.replaced)
        if self._kept:
            pruning.prune(connection, head.height, self._kept, len(block.replaced))

    def close(self) -> None:
        """Close all connections."""
        for rows in (self.writer, self._watcher, *self._readers):
            rows.connection.close()
