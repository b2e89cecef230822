"""Access: decisions a second with their audit, a million events anchored and any one of them proved."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.ledger.transactions import limits, rate
from bench.measure import record

PERSONS = 100_000
DECISIONS = 60_000
TASKS = 16
"""Requests that a server works on at once."""
ALONE = 2_000
GROUP = 512
PROVED = 200


def region(home: Path) -> tuple[Any, Any, Any, str]:
    """Gate, ledger, signer and a clinician's credential of a new region."""
    from nacl.signing import SigningKey

    from xinglin.access import Claims, Gate, create_issuer, issue
    from xinglin.core.clock import wall_clock
    from xinglin.ledger.embedded import EmbeddedLedger
    from xinglin.ledger.institution.signer import Signer
    from xinglin.ledger.state.genesis import Founder, Genesis

    key, seed, now = create_issuer(home / "access", home / "keys", "east"), os.urandom(32), wall_clock()
    founder = Founder("mercy", bytes(SigningKey(seed).verify_key), None, 1)
    ledger = EmbeddedLedger.create(home / "ledger", Genesis("east", 0, (founder,)), wall_clock)
    signer = Signer("mercy", seed, "east", home / "sequences.sqlite", wall_clock)
    gate = Gate.open(home / "access", ledger, wall_clock, lambda institution, person: True)
    credential = issue(Claims("dr", ("clinician",), "mercy"), key, "east", now, now + timedelta(hours=8))
    return gate, ledger, signer, credential


def decide(gate: Any, credential: str, count: int, tasks: int = TASKS) -> dict[str, float]:
    """Decide and audit about random persons, who have no consents, as a server of so many tasks does.

    Measures `Gate.decide_async` from the intent to the verdict, whose event is on the disk by then; intents are
    made before. Of one task alone it is `Gate.decide`, one after the other.
    """
    chance = random.Random(7)
    intents = iter([_read(chance.randrange(PERSONS)) for _ in range(count)])
    took: list[float] = []

    async def ask() -> None:
        for intent in intents:
            start = time.perf_counter()
            await gate.decide_async(credential, intent)
            took.append(time.perf_counter() - start)

    async def all_tasks() -> None:
        await asyncio.gather(*(ask() for _ in range(tasks)))

    def alone() -> None:
        for intent in intents:
            start = time.perf_counter()
            gate.decide(credential, intent)
            took.append(time.perf_counter() - start)

    begin, used = time.perf_counter(), time.process_time()
    if tasks > 1:
        asyncio.run(all_tasks())
    else:
        alone()
    seconds, used = time.perf_counter() - begin, time.process_time() - used
    took.sort()
    return {
        "decisions": count,
        "tasks": tasks,
        "decisions_per_s": count / seconds,
        "decisions_per_cpu_s": count / used,
        "cpu_us": used / count * 1e6,
        "p50_us": took[count // 2] * 1e6,
        "p99_us": took[count * 99 // 100] * 1e6,
        "p999_us": took[count * 999 // 1000] * 1e6,
        "longest_ms": took[-1] * 1e3,
    }


def fill(gate: Any, credential: str, count: int) -> float:
    """Append as many events of the same form, for as many persons, without deciding again; how many a second."""
    chance = random.Random(5)
    text = gate.log.event(gate.decide(credential, _read(0)).event).partition(b'Z",')[2]
    name = gate.reference(0).encode()

    def append() -> None:
        for _ in range(count - 1):
            person = gate.reference(chance.randrange(PERSONS))
            gate.log.append(text.replace(name, person.encode()), bytes.fromhex(person))

    return rate(count, append)


def _read(person: int) -> Any:
    from xinglin.core.intent import Intent

    return Intent("read", frozenset({"landing", "identity"}), purpose="TREAT", person=person)


def anchor(gate: Any, ledger: Any, signer: Any) -> dict[str, float]:
    """Seal the rest and bring every segment to the ledger."""
    begin = time.perf_counter()
    waiting = gate.log.unanchored(ledger)
    for start in range(0, len(waiting), GROUP):
        batches = [signer.sign("AccessBatch", item.body) for item in waiting[start : start + GROUP]]
        assert not any(receipt.code for receipt in ledger.submit(batches))
    seconds = time.perf_counter() - begin
    assert gate.log.unanchored(ledger) == []
    return {"segments": len(waiting), "anchoring_s": seconds, "events_anchored": sum(one.seal.count for one in waiting)}


def prove(gate: Any, ledger: Any, events: int) -> dict[str, float]:
    """From an event's name to its segment's root, and from there to the ledger's root; and one person's events."""
    from xinglin.access import holds
    from xinglin.core.merkle import leaf_hash, root_from_path
    from xinglin.ledger.keys import segment_key
    from xinglin.ledger.transactions import cbor

    stream = next(path.name for path in gate.log.folder.iterdir())
    chance, took, looked = random.Random(11), [], []
    for _ in range(PROVED):
        name = f"{stream}-{chance.randrange(events)}"
        begin = time.perf_counter()
        proof = gate.log.prove(name)
        digest = cbor.decode(ledger.state(segment_key(stream, proof.seal.root)))["transaction"]
        path = ledger.log_proof(digest)
        took.append((time.perf_counter() - begin) * 1e3)
        logged = ledger.transaction(digest).transaction
        assert holds(proof, bytes.fromhex(proof.seal.root)) and bytes.fromhex(proof.seal.root) in logged
        assert root_from_path(path.index, path.size, leaf_hash(logged), list(path.path)) == path.root
        begin = time.perf_counter()
        gate.events_of(chance.randrange(PERSONS))
        looked.append((time.perf_counter() - begin) * 1e3)
    return {
        "proof_ms": statistics.median(took),
        "proof_longest_ms": max(took),
        "events_of_ms": statistics.median(looked),
        "events_of_longest_ms": max(looked),
    }


def writes(folder: Path, size: int, count: int = 100_000) -> float:
    """Plain appends of lines as long as the events, without anything else."""
    handle, line = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND), os.urandom(size)
    try:
        return rate(count, lambda: [os.write(handle, line) for _ in range(count)])
    finally:
        os.close(handle)


def bench(resources: int, times: int) -> None:
    """As many events as resources; the best and the median of `times` runs of decisions."""
    folder = Path(tempfile.mkdtemp(prefix="xinglin-access-", dir=os.environ.get("XINGLIN_BENCH_DATA")))
    try:
        gate, ledger, signer, credential = region(folder)
        first, one_by_one = min(1_000, resources // 10), min(ALONE, resources // 10)
        decide(gate, credential, first)
        share = min(DECISIONS, (resources - first - one_by_one) // (2 * times))
        runs = [decide(gate, credential, share) for _ in range(times)]
        alone = decide(gate, credential, one_by_one, 1)
        events = resources
        filled = fill(gate, credential, events - first - one_by_one - share * times)
        gate.log.seal()
        size = sum(path.stat().st_size for path in gate.log.folder.rglob("events-*")) // events
        figures = {
            "decisions_per_s": statistics.median(run["decisions_per_s"] for run in runs),
            "runs": runs,
            "one_after_the_other": alone,
            "event_bytes": size,
            "appends_per_s": filled,
            **anchor(gate, ledger, signer),
            **prove(gate, ledger, events),
            "verify_all_s": 1 / rate(1, gate.log.findings),
            "limits": limits(folder) | {"plain_writes_per_s": writes(folder, size)},
        }
        gate.close()
        ledger.close()
        record("ledger/access", figures)
    finally:
        shutil.rmtree(folder)
