"""The region's consents: their texts and salts stay here, the ledger holds a commitment to each.

``home/access/consents.sqlite`` (mode 600) holds every Consent with its salt and a random handle of 16 bytes. A consent
permits only what the ledger's last commit confirms; it stops permitting the moment its withdrawal is written here,
before the ledger knows. What it denies holds from the moment it is written here until the ledger has its withdrawal.
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

from xinglin.access.consent.absent import IDS, Roll
from xinglin.access.consent.commitments import FILE, GRANTED, PUTTING, WITHDRAWING, WITHDRAWN, Kept, bring
from xinglin.access.consent.resource import SALT_BYTES, canonical, commitment, compile_consent
from xinglin.core.counter import Counter
from xinglin.core.errors import LedgerUnavailable, NotFound, StorageError
from xinglin.ledger.institution.signer import Signer
from xinglin.ledger.keys import consent_key
from xinglin.ledger.port import Ledger

__all__ = ["ConsentStore", "Kept"]

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
    """Put, withdraw, list, count.

    Args:
        folder: `home/access`, mode 700.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._mutex = threading.RLock()
        self._file: sqlite3.Connection | None = None
        self._counter: Counter | None = None
        self._owner = 0
        self._roll = Roll(-1)

    def put(self, resource: Mapping[str, Any], ledger: Ledger, signer: Signer) -> Kept:
        """Keep a consent and commit to it on the ledger.

        Args:
            resource: A FHIR R4 Consent as parsed JSON.
            ledger: The region's ledger.
            signer: Who signs for the institution.

        Returns:
            What is kept; still putting where the ledger cannot be reached, and then it permits nothing yet.

        Raises:
            BadInput: It cannot be understood wholly.
            Conflict: The ledger refuses it.
        """
        rule = compile_consent(resource)
        text, salt = canonical(resource), secrets.token_bytes(SALT_BYTES)
        kept = Kept(secrets.token_hex(16), rule.person, salt, text, commitment(salt, text), PUTTING)
        with self._changing() as file:
            row = (kept.handle, kept.person, kept.salt, kept.text, kept.commitment, kept.state)
            file.execute(f"INSERT INTO consent ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)
        return self._settled(kept, ledger, signer)

    def withdraw(self, handle: str, ledger: Ledger, signer: Signer) -> Kept:
        """Withdraw a consent: it permits nothing from now on, whether or not the ledger can be reached.

        Args:
            handle: Its handle, 32 hex digits.
            ledger: The region's ledger.
            signer: Who signs for the institution.

        Raises:
            NotFound: There is no such consent.
            Conflict: The ledger refuses it; here it stays withdrawn.
        """
        kept = self.get(handle)
        if kept.state == WITHDRAWN:
            return kept
        self._mark(handle, WITHDRAWING)
        return self._settled(self.get(handle), ledger, signer)

    def settle(self, ledger: Ledger, signer: Signer) -> int:
        """Bring to the ledger what could not be brought before.

        Args:
            ledger: The region's ledger.
            signer: Who signs for the institution.

        Returns:
            How many consents still wait.
        """
        waiting = self._rows("state IN (?, ?)", PUTTING, WITHDRAWING)
        return sum(self._settled(kept, ledger, signer).state in {PUTTING, WITHDRAWING} for kept in waiting)

    def get(self, handle: str) -> Kept:
        """One consent.

        Args:
            handle: Its handle, 32 hex digits.

        Raises:
            NotFound: There is none.
        """
        found = self._rows("handle = ?", handle)
        if not found:
            raise NotFound("there is no such consent", remedy="see xinglin consent list")
        return found[0]

    def of(self, person: int) -> list[Kept]:
        """A person's consents, in the order of their handles.

        Args:
            person: Whose.
        """
        # Nobody has an id that the file could not hold.
        if not -IDS <= person < IDS:
            return []
        version, roll = self.version(), self._roll
        if roll.version == version and roll.lacks(person):
            return []
        with self._mutex:
            file = self._connection()
            found = file.execute(_OF_PERSON, (person,)).fetchall()
            self._go_through(file, version)
        return [Kept(*row) for row in found]

    def all(self) -> list[Kept]:
        """Every consent that is not withdrawn, in the order of the handles."""
        return self._rows("state <> ?", WITHDRAWN)

    def held(self, ledger: Ledger | None) -> Iterator[tuple[Kept, bytes | None]]:
        """Every consent that is not withdrawn, with what the ledger's last commit holds under its handle.

        Both are gone through side by side, a little at a time: memory does not grow with their number.

        Args:
            ledger: The region's ledger; None where it cannot be asked.

        Raises:
            LedgerUnavailable: It cannot answer now.
        """
        for first in range(256):
            kept = self._rows("state <> ? AND handle >= ? AND handle < ?", WITHDRAWN, f"{first:02x}",
                              f"{first + 1:02x}" if first < 255 else "g")  # fmt: skip
            known = dict(ledger.scan(consent_key(f"{first:02x}"))) if ledger and kept else {}
            for one in kept:
                yield one, known.get(consent_key(one.handle))

    def follow(self, called: Callable[[Collection[int]], Mapping[int, int]]) -> int:
        """Let consents follow their persons when identity finds that two persons are one, or that one is two.

        What they deny is denied under the new name; what they permit has to be given anew, since the text names the
        former person.

        Args:
            called: Gives, for the persons that the texts name, those who stand for them now; whom it does not know
                keeps the consents.

        Returns:
            How many consents have another person now.
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

    def forget(self, person: int) -> int:
        """Destroy a person's consents with their salts; what the ledger holds of them says nothing any more.

        Args:
            person: Whose.

        Returns:
            How many there were.
        """
        with self._changing() as file:
            file.execute("PRAGMA secure_delete = ON")
            gone = file.execute("DELETE FROM consent WHERE person = ?", (person,)).rowcount
        with self._mutex:
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def version(self) -> int:
        """A number that differs after every change, by whatever process; it costs less than a microsecond."""
        counter = self._counter or self._count()
        while (seen := counter.seen()) & 1:
            # Somebody is about to commit, or died there: wait for the lock, and leave an even number behind.
            with self._changing():
                pass
        return seen

    def close(self) -> None:
        """Let go of the file."""
        with self._mutex:
            if self._file is not None and self._owner == os.getpid():
                self._file.close()
            self._file = None

    def _go_through(self, file: sqlite3.Connection, version: int) -> None:
        """Learn a little more of who has consents; by the time many were asked about, all are known."""
        if self._roll.version != version:
            self._roll = Roll(version)
        if not self._roll.whole:
            persons = self._roll.read(file)
            # What was read while somebody changed it may be of the next version.
            if self.version() == version:
                self._roll.mark(persons)

    def _settled(self, kept: Kept, ledger: Ledger, signer: Signer) -> Kept:
        try:
            done = bring(kept, ledger, signer)
        except LedgerUnavailable:
            return kept
        if done:
            self._mark(kept.handle, GRANTED if kept.state == PUTTING else WITHDRAWN, only=kept.state)
        return self.get(kept.handle)

    def _mark(self, handle: str, state: str, only: str | None = None) -> None:
        with self._changing() as file:
            # A withdrawal that came meanwhile must not be undone by an answer to the put.
            known = "" if only is None else "AND state = ?"
            file.execute(
                f"UPDATE consent SET state = ? WHERE handle = ? {known}",
                (state, handle) if only is None else (state, handle, only),
            )

    def _rows(self, where: str, *values: object) -> list[Kept]:
        with self._mutex:
            sql = f"SELECT {_COLUMNS} FROM consent WHERE {where} ORDER BY handle"
            return [Kept(*row) for row in self._connection().execute(sql, values)]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            file, counter = self._connection(), self._counter or self._count()
            try:
                file.execute("BEGIN IMMEDIATE")
                try:
                    yield file
                    # Odd while it is committed, so that nobody takes the old rows for those of the new number.
                    with counter.changing():
                        file.execute("COMMIT")
                except BaseException:
                    file.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise StorageError("consents cannot be written", source=FILE, retry=True) from error

    def _count(self) -> Counter:
        """The number of changes, which all processes share."""
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
            # The index on persons of a million consents stays in memory.
            file.execute("PRAGMA cache_size = -65536")
            file.execute(_TABLE)
            file.execute("CREATE INDEX IF NOT EXISTS consent_person ON consent (person)")
            self._file, self._owner, self._counter = file, os.getpid(), None
        return self._file
