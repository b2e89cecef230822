"""The consent store: texts and salts of all consents of the region; the ledger holds a commitment to each.

``home/access/consents.sqlite`` (mode 600) holds each Consent with its salt and a random handle of 16 bytes. A consent
permits only while the ledger's last commit confirms it. A withdrawal stops it at once, before the ledger holds the
withdrawal. A denial applies from the moment it is stored until the ledger holds its withdrawal.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xinglin.access.consent.commitments import (
    FILE,
    GRANTED,
    PUTTING,
    WITHDRAWING,
    WITHDRAWN,
    StoredConsent,
    submit_commitment,
)
from xinglin.access.consent.index import IDS, ConsentIndex
from xinglin.access.consent.resource import SALT_BYTES, canonical, commitment, compile_consent
from xinglin.core.counter import Counter
from xinglin.core.errors import LedgerUnavailable, NotFound, StorageError
from xinglin.ledger.institution.signer import Signer
from xinglin.ledger.keys import consent_key
from xinglin.ledger.port import Ledger

__all__ = ["ConsentStore", "StoredConsent"]

_TABLE = """
CREATE TABLE IF NOT EXISTS consent (
    handle TEXT PRIMARY KEY,
    person INTEGER NOT NULL,
    salt BLOB NOT NULL,
    text BLOB NOT NULL,
    commitment BLOB NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""
_COLUMNS = "handle, person, salt, text, commitment, state"
_OF_PERSON = f"SELECT {_COLUMNS} FROM consent WHERE person = ? ORDER BY handle"


class ConsentStore:
    """Store, withdraw and list consents.

    Args:
        folder: `home/access`, mode 700.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._mutex = threading.RLock()
        self._file: sqlite3.Connection | None = None
        self._counter: Counter | None = None
        self._owner = 0
        self._index = ConsentIndex(-1)

    def put(self, resource: Mapping[str, Any], ledger: Ledger, signer: Signer) -> StoredConsent:
        """Store a consent and write its commitment to the ledger.

        Args:
            resource: A FHIR R4 Consent as parsed JSON.
            ledger: The region's ledger.
            signer: Signs for the institution.

        Returns:
            The stored consent. Its state stays `putting`, and it permits nothing, until the ledger is available.

        Raises:
            BadInput: The Consent is invalid or uses elements that are not supported.
            Conflict: The ledger refuses the transaction.
        """
        rule = compile_consent(resource)
        text, salt = canonical(resource), secrets.token_bytes(SALT_BYTES)
        kept = StoredConsent(secrets.token_hex(16), rule.person, salt, text, commitment(salt, text), PUTTING)
        with self._changing() as file:
            row = (kept.handle, kept.person, kept.salt, kept.text, kept.commitment, kept.state)
            file.execute(f"INSERT INTO consent ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)
        return self._submit(kept, ledger, signer)

    def withdraw(self, handle: str, ledger: Ledger, signer: Signer) -> StoredConsent:
        """Withdraw a consent. It permits nothing from now on, even if the ledger is unavailable.

        Args:
            handle: Handle, 32 hex digits.
            ledger: The region's ledger.
            signer: Signs for the institution.

        Raises:
            NotFound: There is no such consent.
            Conflict: The ledger refuses the transaction; in the store the consent stays withdrawn.
        """
        kept = self.get(handle)
        if kept.state == WITHDRAWN:
            return kept
        self._mark(handle, WITHDRAWING)
        return self._submit(self.get(handle), ledger, signer)

    def submit_pending(self, ledger: Ledger, signer: Signer) -> int:
        """Submit transactions that are pending because the ledger was unavailable.

        Args:
            ledger: The region's ledger.
            signer: Signs for the institution.

        Returns:
            Number of consents that are still pending.
        """
        waiting = self._rows("state IN (?, ?)", PUTTING, WITHDRAWING)
        return sum(self._submit(kept, ledger, signer).state in {PUTTING, WITHDRAWING} for kept in waiting)

    def get(self, handle: str) -> StoredConsent:
        """Read one consent.

        Args:
            handle: Handle, 32 hex digits.

        Raises:
            NotFound: There is no such consent.
        """
        found = self._rows("handle = ?", handle)
        if not found:
            raise NotFound("there is no consent with this handle", remedy="list them: xinglin consent list")
        return found[0]

    def of(self, person: int) -> list[StoredConsent]:
        """A person's consents, ordered by handle.

        Args:
            person: `person_id`.
        """
        # SQLite integers have 64 bits; no person has an id outside that range.
        if not -IDS <= person < IDS:
            return []
        version, index = self.version(), self._index
        if index.version == version and index.lacks(person):
            return []
        with self._mutex:
            file = self._connection()
            found = file.execute(_OF_PERSON, (person,)).fetchall()
            self._extend_index(file, version)
        return [StoredConsent(*row) for row in found]

    def all(self) -> list[StoredConsent]:
        """All consents that are not withdrawn, ordered by handle."""
        return self._rows("state <> ?", WITHDRAWN)

    def with_ledger_state(self, ledger: Ledger | None) -> Iterator[tuple[StoredConsent, bytes | None]]:
        """All consents that are not withdrawn, each with the entry for its handle in the ledger's last commit.

        Reads both in 256 ranges of handles, so memory does not grow with the number of consents.

        Args:
            ledger: The region's ledger; None if it is unavailable.

        Raises:
            LedgerUnavailable: The ledger does not answer.
        """
        for first in range(256):
            kept = self._rows("state <> ? AND handle >= ? AND handle < ?", WITHDRAWN, f"{first:02x}",
                              f"{first + 1:02x}" if first < 255 else "g")  # fmt: skip
            known = dict(ledger.scan(consent_key(f"{first:02x}"))) if ledger and kept else {}
            for one in kept:
                yield one, known.get(consent_key(one.handle))

    def reassign(self, called: Callable[[Collection[int]], Mapping[int, int]]) -> int:
        """Reassign consents after identity joined two persons or split one.

        Denials apply to the new `person_id`. Grants have to be given again, because their text names the former
        `person_id`.

        Args:
            called: Maps the `person_id`s in the texts to the current ones; a person that it omits keeps the consents.

        Returns:
            Number of consents that were reassigned.
        """
        kept = self._rows("TRUE")
        named = {one.handle: compile_consent(json.loads(one.text)).person for one in kept}
        now = called(set(named.values())) if named else {}
        moved = [(now.get(named[one.handle], one.person), one.handle) for one in kept]
        moved = [(person, handle) for (person, handle), one in zip(moved, kept, strict=True) if person != one.person]
        if moved:
            with self._changing() as file:
                file.executemany("UPDATE consent SET person = ? WHERE handle = ?", moved)
        return len(moved)

    def erase(self, person: int) -> int:
        """Delete a person's consents with their salts, so that nobody can open the commitments on the ledger.

        Args:
            person: `person_id`.

        Returns:
            Number of deleted consents.
        """
        with self._changing() as file:
            file.execute("PRAGMA secure_delete = ON")
            gone = file.execute("DELETE FROM consent WHERE person = ?", (person,)).rowcount
        with self._mutex:
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def version(self) -> int:
        """The version of the store, which each change by any process increases; read in less than a microsecond."""
        counter = self._counter or self._count()
        while (seen := counter.seen()) & 1:
            # A process is committing or ended during a commit: wait for the lock and restore an even number.
            with self._changing():
                pass
        return seen

    def close(self) -> None:
        """Close the database."""
        with self._mutex:
            if self._file is not None and self._owner == os.getpid():
                self._file.close()
            self._file = None

    def _extend_index(self, file: sqlite3.Connection, version: int) -> None:
        """Read the next part of the consent index; after enough lookups it is complete."""
        if self._index.version != version:
            self._index = ConsentIndex(version)
        if not self._index.whole:
            persons = self._index.read(file)
            # A concurrent change may have been read; it belongs to the next version.
            if self.version() == version:
                self._index.mark(persons)

    def _submit(self, kept: StoredConsent, ledger: Ledger, signer: Signer) -> StoredConsent:
        try:
            done = submit_commitment(kept, ledger, signer)
        except LedgerUnavailable:
            return kept
        if done:
            self._mark(kept.handle, GRANTED if kept.state == PUTTING else WITHDRAWN, only=kept.state)
        return self.get(kept.handle)

    def _mark(self, handle: str, state: str, only: str | None = None) -> None:
        with self._changing() as file:
            # The answer to a put must not undo a withdrawal that was made in the meantime.
            known = "" if only is None else "AND state = ?"
            file.execute(
                f"UPDATE consent SET state = ? WHERE handle = ? {known}",
                (state, handle) if only is None else (state, handle, only),
            )

    def _rows(self, where: str, *values: object) -> list[StoredConsent]:
        with self._mutex:
            sql = f"SELECT {_COLUMNS} FROM consent WHERE {where} ORDER BY handle"
            return [StoredConsent(*row) for row in self._connection().execute(sql, values)]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            file, counter = self._connection(), self._counter or self._count()
            try:
                file.execute("BEGIN IMMEDIATE")
                try:
                    yield file
                    # Odd during the commit, so that no process takes the old rows for the new version.
                    with counter.changing():
                        file.execute("COMMIT")
                except BaseException:
                    file.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise StorageError(
                    "consents cannot be written", source=FILE, remedy="check the disk", retry=True
                ) from error

    def _count(self) -> Counter:
        """The counter of changes, shared by all processes."""
        with self._mutex:
            if self._counter is None:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._counter = Counter(self._path.with_suffix(".version"))
            return self._counter

    def _connection(self) -> sqlite3.Connection:
        # A connection must not be carried into a forked process.
        if self._file is None or self._owner != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            file = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            # Keeps the person index of a million consents in memory.
            file.execute("PRAGMA cache_size = -65536")
            file.execute(_TABLE)
            file.execute("CREATE INDEX IF NOT EXISTS consent_person ON consent (person)")
            self._file, self._owner, self._counter = file, os.getpid(), None
        return self._file
