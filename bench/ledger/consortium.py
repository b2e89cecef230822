"""Transactions committed by four validators: the ledger's Python applications beside CometBFT's built-in kvstore.

Both get the same nodes, settings, number and size of transactions, poured in as fast as the blocks take them, so many
of them waiting at a time. What is counted is what the blocks hold.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench.measure import record
from xinglin.core.errors import LedgerUnavailable
from xinglin.core.settings import LedgerSettings, Settings
from xinglin.ledger.consortium import NodeOptions, ValidatorHome
from xinglin.ledger.consortium.home import transaction_key
from xinglin.ledger.consortium.rpc import NodeClient
from xinglin.ledger.consortium.toolchain import install, node_program, version
from xinglin.ledger.transactions.envelope import key_id_of, seal

VALIDATORS = 4
FIRST_PORT = 38_600
COMMIT_MS = 1000
BATCH = 100
WAITING = 3_200
"""Transactions that may wait for a block at once: below the room of a node's pool, and of each key below the numbers
that may arrive out of order (1,024)."""
CHAIN = "region-of-the-bench"


def bench(resources: int, times: int) -> None:
    """A transaction for every 50 of `resources` (20,000 for a million)."""
    install(print)
    count = max(400, resources // 50)
    with tempfile.TemporaryDirectory(prefix="xinglin-consortium-") as folder:
        homes = _found(Path(folder))
        signed = _signed(homes, count)
        size = round(statistics.mean(len(tx) for txs in signed for tx in txs))
        plain = [[_pair(number, size, tx) for number, tx in enumerate(txs)] for txs in signed]
        pairs = [(_run(homes, plain, "kvstore"), _run(homes, signed, "")) for _ in range(times)]
    kvstore, ledger = ([pair[place] for pair in pairs] for place in (0, 1))
    record(
        f"ledger/consortium_{count}",
        {
            "cometbft": version(),
            "validators": VALIDATORS,
            "transactions": count,
            "transaction_bytes": size,
            "timeout_commit_ms": COMMIT_MS,
            "waiting_at_most": WAITING,
            "kvstore_per_second": [round(one.per_second) for one in kvstore],
            "ledger_per_second": [round(one.per_second) for one in ledger],
            "ratio": round(statistics.median(other.per_second / one.per_second for one, other in pairs), 3),
            "target": 0.6,
            "cpu_us_per_transaction": {
                "kvstore_nodes": _median_us(one.nodes for one in kvstore),
                "ledger_nodes": _median_us(one.nodes for one in ledger),
                "ledger_applications": _median_us(one.applications for one in ledger),
                "pouring": _median_us(one.pouring for one in (*kvstore, *ledger)),
            },
            "ed25519_verified_per_second": round(_verified_per_second()),
        },
    )


@dataclass(frozen=True)
class _Poured:
    """Transactions committed a second, and the CPU seconds that each took: of all nodes, all applications, and here."""

    per_second: float
    nodes: float
    applications: float
    pouring: float


@dataclass(frozen=True)
class _Processes:
    """Who works: process ids."""

    nodes: Sequence[int]
    applications: Sequence[int]

    def cpu(self) -> tuple[float, float, float]:
        """CPU seconds so far, of the nodes, of the applications, and of this process."""
        return sum(map(_cpu, self.nodes)), sum(map(_cpu, self.applications)), time.process_time()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _median_us(seconds: Iterable[float]) -> int:
    return round(statistics.median(seconds) * 1_000_000)


def _found(folder: Path) -> list[ValidatorHome]:
    homes = [ValidatorHome(folder / f"institution-{number}") for number in range(VALIDATORS)]
    parts = []
    for number, home in enumerate(homes):
        place, rpc = (f"127.0.0.1:{FIRST_PORT + 2 * number + offset}" for offset in (0, 1))
        Settings(home=home.home, ledger=LedgerSettings("cometbft", f"http://{rpc}")).save()
        key = transaction_key(home.home / "keys" / "ledger.key")
        now = int(time.time())
        parts.append(home.create((home.home.name, 10), key, NodeOptions(place, place, rpc, COMMIT_MS), now))
    for home in homes:
        home.create_genesis(parts, CHAIN)
    return homes


def _signed(homes: Sequence[ValidatorHome], count: int) -> list[list[bytes]]:
    """Sealed segments of each institution's audit log."""
    until = int(time.time()) + 80_000
    made = []
    for home in homes:
        key = bytes.fromhex((home.home / "keys" / "ledger.key").read_text())
        key_id = key_id_of(bytes(transaction_key(home.home / "keys" / "ledger.key").verify_key))
        fields = {"chain_id": CHAIN, "type": "AccessBatch", "institution": home.home.name, "key_id": key_id}
        stream = sha256(home.home.name.encode()).digest()[:16]
        body = {"count": 1_000, "first": 1_800_000_000_000_000, "last": 1_800_000_000_900_000, "stream": stream}
        roots = (sha256(b"%d" % number).digest() for number in range(count // VALIDATORS))
        made.append(
            [
                seal({**fields, "seq": seq, "valid_until": until, "body": {**body, "root": root}}, key)
                for seq, root in enumerate(roots)
            ]
        )
    return made


def _pair(number: int, size: int, other: bytes) -> bytes:
    """A key and a value for kvstore, as long as a transaction."""
    key = f"{sha256(other).hexdigest()}{number}="
    return key.encode().ljust(size, b"x")


def _run(homes: Sequence[ValidatorHome], poured: Sequence[Sequence[bytes]], proxy: str) -> _Poured:
    """What it took from the first one poured until the last one's block."""
    for home in homes:
        _empty(home)
    with _running(homes, proxy) as working:
        clients = [NodeClient(home.rpc()) for home in homes]
        _wait(lambda: all(_height(client) for client in clients))
        total, before, began = sum(map(len, poured)), working.cpu(), time.perf_counter()
        counted, cuts = _Counted(clients[0]), range(0, max(map(len, poured)), BATCH)
        with ThreadPoolExecutor(len(clients)) as pool:
            for number, start in enumerate(cuts, 1):
                list(pool.map(_pour, clients, [txs[start : start + BATCH] for txs in poured]))
                handed = number * BATCH * len(clients)
                _wait(lambda handed=handed: handed - counted.more() <= WAITING)
            _wait(lambda: counted.more() >= total)
        seconds = time.perf_counter() - began
        used = (after - once for after, once in zip(working.cpu(), before, strict=True))
        return _Poured(total / seconds, *(one / total for one in used))


class _Counted:
    """Transactions in the blocks so far."""

    def __init__(self, client: NodeClient) -> None:
        self._client, self._next, self._total = client, 1, 0

    def more(self) -> int:
        last = _height(self._client)
        while self._next <= last:
            end = min(self._next + 19, last)
            metas = self._client.call("blockchain", minHeight=str(self._next), maxHeight=str(end))["block_metas"]
            self._total += sum(int(meta["num_txs"]) for meta in metas)
            self._next = end + 1
        return self._total


def _pour(client: NodeClient, transactions: Sequence[bytes]) -> None:
    left = list(transactions)
    while left := client.broadcast(left):
        time.sleep(0.05)


def _height(client: NodeClient) -> int:
    with suppress(LedgerUnavailable):
        return int(client.call("status")["sync_info"]["latest_block_height"])
    return 0


def _wait(holds, seconds: float = 120) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("the validators did not come to an end")
        time.sleep(0.05)


def _empty(home: ValidatorHome) -> None:
    for path in home.ledger.glob("ledger.sqlite*"):
        path.unlink()
    shutil.rmtree(home.node / "data", ignore_errors=True)
    (home.node / "data").mkdir()
    (home.node / "data" / "priv_validator_state.json").write_text('{"height": "0", "round": 0, "step": 0}')


@contextmanager
def _running(homes: Sequence[ValidatorHome], proxy: str) -> Iterator[_Processes]:
    from xinglin.ledger.consortium import local

    if not proxy:
        local.start(homes)
        try:
            pids = [local.running(home) for home in homes]
            children = [Path(f"/proc/{pid}/task/{pid}/children").read_text().split() for pid in pids]
            yield _Processes([int(child) for found in children for child in found], pids)
        finally:
            local.stop(homes)
        return
    words = [str(node_program()), "start", "--proxy_app", proxy, "--home"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    nodes = [subprocess.Popen([*words, str(home.node)], **quiet) for home in homes]
    try:
        yield _Processes([node.pid for node in nodes], [])
    finally:
        for node in nodes:
            node.send_signal(signal.SIGTERM)
        for node in nodes:
            node.wait(30)


def _verified_per_second(seconds: float = 1.0) -> float:
    """What one core can do at best, in this minute."""
    from nacl.signing import SigningKey

    key = SigningKey(bytes(32))
    message, signature = bytes(300), key.sign(bytes(300)).signature
    began = time.perf_counter()
    for done in itertools.count(1):
        key.verify_key.verify(message, signature)
        if time.perf_counter() - began > seconds:
            return done / (time.perf_counter() - began)
    raise AssertionError
