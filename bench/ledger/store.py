"""What the ledger's file takes for each transaction as it grows, by table, and how fast it takes them in."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measure import record

GROUP = 512
SITES = 20
SIZES = (10_000, 100_000, 300_000)
# Of twenty transactions: the log of accesses above all, then consents, then batches.
MIX = ("AccessBatch",) * 14 + ("ConsentPut",) * 4 + ("DataAnchor",) * 2

Figures = dict[str, float]


class Work:
    """Signed transactions of the usual mix, without end."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self._stream = os.urandom(16)
        self._count = 0
        self._batches = [0] * SITES
        self._last: list[bytes | None] = [None] * SITES

    def group(self, size: int) -> list[bytes]:
        """The next transactions."""
        return [self._next() for _ in range(size)]

    def _next(self) -> bytes:
        kind = MIX[self._count % len(MIX)]
        self._count += 1
        body = {"AccessBatch": self._access, "ConsentPut": self._consent, "DataAnchor": self._batch}[kind]()
        signed: bytes = self._signer.sign(kind, body, valid_for=86_000)
        return signed

    def _access(self) -> dict[str, Any]:
        now = int(time.time() * 1e6)
        span = {"count": 1_000, "first": now, "last": now + 999_999, "stream": self._stream}
        return {"root": os.urandom(32), **span}

    def _consent(self) -> dict[str, Any]:
        times = {"valid_from": int(time.time()), "valid_until": None}
        return {"handle": os.urandom(16), "commitment": os.urandom(32), **times, "previous": None}

    def _batch(self) -> dict[str, Any]:
        site = self._count % SITES
        self._batches[site] += 1
        manifest, previous = os.urandom(32), self._last[site]
        self._last[site] = manifest
        name = {"site": f"site-{site}", "sequence": self._batches[site], "schema": "FHIR R4"}
        return {**name, "manifest": manifest, "root": hashlib.sha256(manifest).digest(), "size": 1_000,
                "previous": previous}  # fmt: skip


def tables(path: Path) -> Figures:
    """Bytes of each table and index, and of free pages."""
    with sqlite3.connect(path) as connection:
        found: Figures = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        free, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    connection.close()
    return {**found, "free": free * page}


def grow(folder: Path, sizes: Sequence[int]) -> dict[str, Figures]:
    """Fill a ledger and look at it at each size."""
    from nacl.signing import SigningKey

    from xinglin.core.clock import system_clock
    from xinglin.ledger import EmbeddedLedger, Founder, Genesis, Signer

    key = bytes(32)
    founder = Founder("hospital", bytes(SigningKey(key).verify_key), None, 1)
    genesis = Genesis("bench", int(time.time()) - 60, (founder,))
    ledger = EmbeddedLedger.create(folder / "ledger", genesis, system_clock)
    work = Work(Signer("hospital", key, "bench", folder / "sequences.sqlite", system_clock))
    path, found, done = folder / "ledger" / "ledger.sqlite", {}, 0
    for size in sizes:
        wall = cpu = slowest = 0.0
        more = size - done
        while done < size:
            group = work.group(min(GROUP, size - done))
            began, used = time.perf_counter(), time.process_time()
            assert not any(receipt.code for receipt in ledger.submit(group))
            took = time.perf_counter() - began
            wall, cpu, slowest = wall + took, cpu + time.process_time() - used, max(slowest, took)
            done += len(group)
        # By the database's own account: a part may still lie in the write-ahead log.
        lying = tables(path)
        whole = sum(lying.values())
        each = {f"{name}_bytes": round(value / size, 1) for name, value in lying.items()}
        speed = {"per_s": round(more / wall), "per_cpu_s": round(more / cpu), "slowest_group_ms": round(slowest * 1e3)}
        found[f"{size}"] = {"bytes_per_transaction": round(whole / size, 1), **speed, **each}
        print(size, found[f"{size}"], flush=True)
    ledger.close()
    return found


def bench(resources: int, _times: int) -> None:
    """Grow one ledger through three sizes; for fewer than a million resources the sizes are smaller in proportion."""
    sizes = [max(GROUP * place, min(size, size * resources // 1_000_000)) for place, size in enumerate(SIZES, 1)]
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("XINGLIN_BENCH_DATA")))
    try:
        record("ledger/ledger_store", {"group": GROUP, "sizes": grow(folder, sizes)})
    finally:
        shutil.rmtree(folder)
