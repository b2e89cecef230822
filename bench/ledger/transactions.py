"""The ledger of one machine: durable transactions a second, beside the machine's own limits in the same run."""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.measure import record

GROUP = 512
MACHINE = 4_096
ALONE = 300
THREADS = 32

Figures = dict[str, float]


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def limits(folder: Path) -> Figures:
    """What libsodium, SHA-256 and the disk can do here and now."""
    from nacl.bindings import crypto_sign_open
    from nacl.signing import SigningKey

    key = SigningKey(bytes(32))
    signed, public, buffer = key.sign(bytes(230)), bytes(key.verify_key), bytes(16_000_000)

    def verify(count: int) -> None:
        for _ in range(count):
            crypto_sign_open(signed, public)

    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        together = rate(2_000 * cores, lambda: list(pool.map(verify, [2_000] * cores)))
    return {
        "ed25519_verify_per_s": rate(3_000, lambda: verify(3_000)),
        "ed25519_verify_per_s_all_cores": together,
        "ed25519_sign_per_s": rate(3_000, lambda: [key.sign(bytes(230)) for _ in range(3_000)]),
        "sha256_mb_per_s": rate(128, lambda: [hashlib.sha256(buffer).digest() for _ in range(8)]),
        "fsync_per_s": rate(300, lambda: _fsyncs(folder / "fsync", 300)),
    }


def _fsyncs(path: Path, count: int) -> None:
    with path.open("ab", buffering=0) as file:
        for _ in range(count):
            file.write(bytes(4_096))
            os.fsync(file.fileno())


def _anchors(signer: Any, count: int) -> list[bytes]:
    now, stream = int(time.time() * 1e6), os.urandom(16)
    span = {"count": 1_000, "first": now, "last": now + 999_999, "stream": stream}
    return [signer.sign("AccessBatch", {"root": os.urandom(32), **span}) for _ in range(count)]


def _submit(ledger: Any, transactions: Sequence[bytes], group: int) -> None:
    for start in range(0, len(transactions), group):
        receipts = ledger.submit(transactions[start : start + group])
        assert not any(receipt.code for receipt in receipts), receipts


def _submit_from_threads(ledger: Any, transactions: Sequence[bytes]) -> None:
    shares = [transactions[number::THREADS] for number in range(THREADS)]
    threads = [threading.Thread(target=_submit, args=(ledger, share, 1)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _proofs(ledger: Any, transactions: Sequence[bytes]) -> None:
    for transaction in transactions:
        ledger.log_proof(hashlib.sha256(transaction).digest())


def embedded(folder: Path, count: int) -> Figures:
    """Submitting in groups, one by one, and from threads; proofs afterwards."""
    from nacl.signing import SigningKey

    from xinglin.core.clock import system_clock
    from xinglin.ledger import EmbeddedLedger, Founder, Genesis, Signer

    key = bytes(32)
    founder = Founder("hospital", bytes(SigningKey(key).verify_key), None, 1)
    genesis = Genesis("bench", int(time.time()) - 60, (founder,))
    ledger = EmbeddedLedger.create(folder / "ledger", genesis, system_clock)
    signer = Signer("hospital", key, "bench", folder / "sequences.sqlite", system_clock)
    signed: list[bytes] = []
    figures = {"signer_per_s": rate(count, lambda: signed.extend(_anchors(signer, count)))}
    figures["groups_of_512_per_s"] = rate(count, lambda: _submit(ledger, signed, GROUP))
    alone = _anchors(signer, ALONE)
    figures["one_by_one_per_s"] = rate(ALONE, lambda: _submit(ledger, alone, 1))
    shared = _anchors(signer, ALONE * 4)
    figures["from_32_threads_per_s"] = rate(len(shared), lambda: _submit_from_threads(ledger, shared))
    some = signed[:: max(1, count // 1_000)]
    figures["log_proofs_per_s"] = rate(len(some), lambda: _proofs(ledger, some))
    ledger.close()
    figures["bytes_per_transaction"] = (folder / "ledger" / "ledger.sqlite").stat().st_size / ledger_size(folder)
    return figures


def ledger_size(folder: Path) -> int:
    """Transactions in the log."""
    from xinglin.ledger import Store

    store = Store(folder / "ledger" / "ledger.sqlite")
    header = store.reader.header()
    store.close()
    return header.size if header else 0


def machine(folder: Path) -> Figures:
    """The state machine alone, as CometBFT drives it: CheckTx, FinalizeBlock of what was checked, Commit."""
    from nacl.signing import SigningKey

    from xinglin.core.clock import system_clock
    from xinglin.ledger import Founder, Genesis, Machine, Signer, Store

    key, now = bytes(32), int(time.time())
    machine = Machine(Store(folder / "machine.sqlite"))
    machine.genesis(Genesis("bench", now - 60, (Founder("hospital", bytes(SigningKey(key).verify_key), None, 1),)))
    signer = Signer("hospital", key, "bench", folder / "machine-sequences.sqlite", system_clock)
    checked, unchecked = _anchors(signer, MACHINE), _anchors(signer, MACHINE)

    def check() -> None:
        assert not any(machine.check(one, now) for one in checked)

    def blocks(transactions: list[bytes]) -> None:
        for start in range(0, MACHINE, GROUP):
            height = machine.header.height + 1
            assert not any(machine.execute(height, now, transactions[start : start + GROUP]).codes)
            machine.commit()

    return {
        "check_per_s": rate(MACHINE, check),
        "execute_checked_per_s": rate(MACHINE, lambda: blocks(checked)),
        "execute_unchecked_per_s": rate(MACHINE, lambda: blocks(unchecked)),
    }


def one_round(count: int) -> dict[str, Figures]:
    """Limits and ledger, one after the other in one folder that is thrown away."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("XINGLIN_BENCH_DATA")))
    try:
        found = {"machine_limits": limits(folder), "embedded": embedded(folder, count), "machine": machine(folder)}
    finally:
        shutil.rmtree(folder)
    floor = found["machine_limits"]["ed25519_verify_per_s"]
    found["of_one_core_verifying"] = {
        "groups_of_512": found["embedded"]["groups_of_512_per_s"] / floor,
        "execute_unchecked": found["machine"]["execute_unchecked_per_s"] / floor,
    }
    return found


def bench(resources: int, times: int) -> None:
    """Medians of the rounds; a hundredth as many transactions as resources, at least 1,024."""
    count = max(1_024, resources // 100)
    rounds = [one_round(count) for _ in range(times)]
    medians = {
        part: {name: round(statistics.median(one[part][name] for one in rounds), 3) for name in rounds[0][part]}
        for part in rounds[0]
    }
    record(f"ledger/ledger_{count}", {"transactions": count, "rounds": times, **medians})


if __name__ == "__main__":
    bench(1_000_000, 1)
