"""Pieces into objects: many small ones share an object, so that each object costs one age header and one rename."""

from __future__ import annotations

import hmac
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path

from xinglin.backup.format.known import Known
from xinglin.backup.format.sealing import Recipients
from xinglin.backup.format.target import Target, object_key

__all__ = ["OBJECT", "PIECE", "Packer", "digest_of"]

PIECE = 1 << 22
"""Bytes of a piece at most: 4 MiB. Longer files are cut there."""
OBJECT = 1 << 23
"""Plain bytes of an object at most, 8 MiB: what one worker holds at once, three times over."""

_Pieces = list[tuple[bytes, int]]


def digest_of(secret: bytes, piece: bytes) -> bytes:
    """Name of a piece: HMAC-SHA-256 (RFC 2104), so that it says nothing about the content without the secret.

    Example:
        >>> digest_of(bytes(32), b"").hex()[:16]
        'b613679a0814d9ec'
    """
    return hmac.digest(secret, piece, "sha256")


class Packer:
    """Stores pieces that are not stored yet; at most a few objects are in memory at a time.

    Args:
        target: Where to.
        recipients: For whom.
        known: What is there already; it learns what is added.
        work: Folder for unfinished files.
        workers: Objects that are compressed and encrypted at once.
    """

    def __init__(self, target: Target, recipients: Recipients, known: Known, work: Path, workers: int) -> None:
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
            digest: Its name, as `digest_of` gives it.
            piece: Its bytes.
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
        """Wait until everything is stored."""
        self._send()
        self._reap(0)

    def close(self) -> None:
        """Let go of the workers, whatever they do."""
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
            self._known.learn(name, size, names)
            self._new.difference_update(digest for digest, _ in names)
            self.stored += size
            self.objects.append(name)
