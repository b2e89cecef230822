"""Sign an institution's transactions; no sequence number is used twice, even after crashes or by several processes."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

from xinglin.core.clock import Clock
from xinglin.ledger.keys import sequence_key
from xinglin.ledger.port import Ledger
from xinglin.ledger.state.sqlite_errors import ledger_errors
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import key_id_of, seal_with
from xinglin.ledger.transactions.possession import rotation

__all__ = ["Signer", "last_sequence"]

_GROUP = 64
# The ledger accepts numbers up to 1,024 below the highest. Reserved numbers that are this far behind those of other
# processes are discarded, because the ledger would refuse them.
_BEHIND = 512


def last_sequence(ledger: Ledger, public_key: bytes) -> int:
    """The highest sequence number of a key on the ledger; -1 if there is none.

    Args:
        ledger: The ledger.
        public_key: The key of 32 bytes.
    """
    value = ledger.state(sequence_key(key_id_of(public_key)))
    return -1 if value is None else int(cbor.decode(value)["highest"])


class Signer:
    """Signs with one institution's key; sequence numbers are reserved durably before use.

    Args:
        institution: Name of the institution.
        key: The Ed25519 seed of 32 bytes.
        chain_id: The chain id.
        sequences: SQLite file of the reserved numbers; several processes may share it.
        clock: The clock, for the validity of transactions.
        floor: Lowest number to use. After the file was lost or restored, set it one above the highest number on the
            ledger (state key ``seq/KEYID``).

    Example:
        >>> import tempfile; from xinglin.core.clock import system_clock
        >>> sequences = Path(tempfile.mkdtemp()) / "sequences.sqlite"
        >>> signer = Signer("hospital", bytes(32), "region", sequences, system_clock)
        >>> len(signer.sign("KeyRevoke", {"key_id": signer.key_id}, valid_for=600))
        201
    """

    def __init__(
        self, institution: str, key: bytes, chain_id: str, sequences: Path, clock: Clock, *, floor: int = 0
    ) -> None:
        from nacl.signing import SigningKey

        self.institution = institution
        self.chain_id = chain_id
        self._key = SigningKey(key)
        self.public_key = bytes(self._key.verify_key)
        self.key_id = key_id_of(self.public_key)
        self._path = sequences
        self._clock = clock
        self._floor = floor
        self._lock = threading.Lock()
        self._next = self._end = 0
        with ledger_errors(sequences):
            self._file = sqlite3.connect(sequences, timeout=30, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS sequence "
                "(key_id TEXT PRIMARY KEY, free INTEGER NOT NULL) WITHOUT ROWID, STRICT"
            )

    def sign(self, type: str, body: dict[str, Any], *, valid_for: int = 3_600) -> bytes:
        """Sign a transaction.

        Args:
            type: A name in `ledger.transactions.bodies.BODIES`.
            body: The body; the ledger checks it.
            valid_for: Seconds until it expires, at most one day.
        """
        return self._seal(type, body, self._take(), valid_for)

    def rotate(self, key: bytes, *, valid_for: int = 3_600) -> bytes:
        """Sign a transaction that registers a new key of the institution, with its proof of possession.

        Args:
            key: The new key's Ed25519 seed of 32 bytes.
            valid_for: Seconds until it expires, at most one day.
        """
        from nacl.signing import SigningKey

        new, seq = SigningKey(key), self._take()
        public_key = bytes(new.verify_key)
        statement = rotation(self.chain_id, self.institution, self.key_id, public_key, seq)
        return self._seal(
            "KeyRotate", {"public_key": public_key, "proof": new.sign(statement).signature}, seq, valid_for
        )

    def _seal(self, type: str, body: dict[str, Any], seq: int, valid_for: int) -> bytes:
        fields = {
            "chain_id": self.chain_id,
            "type": type,
            "institution": self.institution,
            "key_id": self.key_id,
            "seq": seq,
            "valid_until": int(self._clock().timestamp()) + valid_for,
            "body": body,
        }
        return seal_with(fields, self._key)

    def _take(self) -> int:
        with self._lock, ledger_errors(self._path):
            if self._next >= self._end or self._free() - self._next > _BEHIND:
                self._reserve()
            number = self._next
            self._next += 1
            return number

    def _free(self) -> int:
        row = self._file.execute("SELECT free FROM sequence WHERE key_id = ?", (self.key_id,)).fetchone()
        return 0 if row is None else int(row[0])

    def _reserve(self) -> None:
        row = self._file.execute(
            "INSERT INTO sequence VALUES (:key, max(:floor, 0) + :group) "
            "ON CONFLICT DO UPDATE SET free = max(free, :floor) + :group RETURNING free",
            {"key": self.key_id, "floor": self._floor, "group": _GROUP},
        ).fetchall()[0]
        self._end = int(row[0])
        self._next = self._end - _GROUP

    def close(self) -> None:
        """Close the file."""
        self._file.close()
