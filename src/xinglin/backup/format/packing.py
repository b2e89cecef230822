"""Pack pieces into objects: small pieces share an object, which saves age headers and renames."""

from __future__ import annotations

import hmac
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path

from xinglin.backup.format.piece_index import PieceIndex
from xinglin.backup.format.sealing import Recipients
from xinglin.backup.format.target import Target, object_key

__all__ = ["OBJECT", "PIECE", "Packer", "digest_of"]

PIECE = 1 << 22
"""Maximum size of a piece, 4 MiB; longer files are split."""
OBJECT = 1 << 23
"""Maximum plain size of an object, 8 MiB; a worker needs three times that memory."""

_Pieces = list[tuple[bytes, int]]


def digest_of(secret: bytes, piece: bytes) -> bytes:
    """Name of a piece: HMAC-SHA-256 (RFC 2104), which reveals nothing without the secret.

    Example:
        >>> digest_of(bytes(32), b"").hex()[:16]
        'b613679a0814d9ec'
    """
    return hmac.digest(secret, piece, "sha256")


class Packer:
    """Stores new pieces, with a limited number of objects in memory.

    Args:
        target: The backup target.
        recipients: Public keys.
        known: Index of stored pieces; receives the new ones.
        work: Folder for temporary files.
        workers: Number of objects compressed and encrypted in parallel.
    """

    def __init__(self, target: Target, recipients: Recipients, known: PieceIndex, work: Path, workers: int) -> None:
        self._target, self._recipients, self._known, self._work = target, recipients, known, work
        self._pool = ThreadPoolExecutor(workers)
        self._running: deque[Future[tuple[str, int, _Pieces]]] = deque()
        self._most = workers + 1
        self._numbers = count()
        self._waiting: list[bytes] = []
        self._names: _Pieces = []
        self._size = 0
        self._new: set[bytes] = set()
        self.stored = 0
        self.objects: list[str] = []

    def add(self, digest: bytes, piece: bytes) -> None:
        """Store a piece, unless it is stored already.

        Args:
            digest: Name of the piece (`digest_of`).
            piece: Bytes of the piece.
        """
        if digest in self._new or self._known.place(digest):
            return
        if self._size + len(piece) > OBJECT:
            self._send()
        self._new.add(digest)
        self._waiting.append(piece)
        self._names.append((digest, len(piece)))
        self._size += len(piece)

    def finish(self) -> None:
        """Wait until all pieces are stored."""
        self._send()
        self._reap(0)

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(cancel_futures=True)

    def _send(self) -> None:
        if self._waiting:
            self._reap(self._most)
            self._running.append(self._pool.submit(self._store, self._waiting, self._names))
            self._waiting, self._names, self._size = [], [], 0

    def _store(self, pieces: list[bytes], names: _Pieces) -> tuple[str, int, _Pieces]:
        file = self._work / f"object-{next(self._numbers)}"
        name, size = self._recipients.seal(b"".join(pieces), file)
        self._target.put(file, object_key(name))
        return name, size, names

    def _reap(self, most: int) -> None:
        while len(self._running) > most:
            name, size, names = self._running.popleft().result()
            self._known.add(name, size, names)
            self._new.difference_update(digest for digest, _ in names)
            self.stored += size
            self.objects.append(name)
