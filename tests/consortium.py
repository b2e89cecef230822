"""Four institutions on this machine: each a real CometBFT node and its own Python application, as processes.

They find each other through relays that tests can cut. Every process dies with the tests, however they end.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from xinglin.core.errors import LedgerUnavailable, NotFound
from xinglin.core.settings import LedgerSettings, Settings
from xinglin.ledger import Code, Receipt, digest_of, key_id_of
from xinglin.ledger.consortium import CometLedger
from xinglin.ledger.consortium.home import NodeOptions, ValidatorHome
from xinglin.ledger.consortium.rpc import NodeClient
from xinglin.ledger.consortium.toolchain import interface_file, node_program
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.transactions.envelope import seal

from .cluster import descendants, free_ports
from .relays import Relays

REPO = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1
_FAST = """
timeout_propose = "1000ms"
timeout_prevote = "300ms"
timeout_precommit = "300ms"
peer_gossip_sleep_duration = "20ms"
"""


class Institution:
    """One institution: its home, its key, its node's client, its processes.

    Args:
        folder: For its home and log.
        name: On the ledger.
        ports: For the other nodes, and for its client.
    """

    def __init__(self, folder: Path, name: str, ports: tuple[int, int]) -> None:
        self.name = name
        self.key = bytes(SigningKey.generate())
        self.port, self.rpc_port = ports
        self.home = ValidatorHome(folder / name)
        self.process: subprocess.Popen[bytes] | None = None
        self.numbers = itertools.count(1)
        self._signing = threading.Lock()

    @property
    def url(self) -> str:
        """Of its node's client."""
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def public_key(self) -> bytes:
        """Of the key it signs transactions with."""
        return bytes(SigningKey(self.key).verify_key)

    def make(self, commit_ms: int) -> Any:
        """Its keys and settings; gives its public part."""
        here = f"127.0.0.1:{self.port}"
        options = NodeOptions(here, here, f"127.0.0.1:{self.rpc_port}", commit_ms)
        settings = Settings(home=self.home.home, ledger=LedgerSettings("cometbft", self.url))
        settings.save()
        made = self.home.create((self.name, 10), SigningKey(self.key), options, 1_700_000_000)
        config = self.home.node / "config" / "config.toml"
        config.write_text(config.read_text().replace("[consensus]", f"[consensus]{_FAST}"))
        return made

    def start(self, program: Sequence[str] = ("xinglin", "ledger", "start"), **environment: str) -> None:
        """Start node and application."""
        assert self.process is None or self.process.poll() is not None, f"{self.name} runs"
        with (self.home.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *program, "--home", str(self.home.home)],
                cwd=REPO,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def node(self) -> int:
        """The process id of its node; 0 when there is none."""
        return next(iter(descendants(self.process.pid)), 0) if self.process else 0

    def kill(self, what: str = "application") -> None:
        """kill -9 its node or its application; the other one ends by itself."""
        assert self.process
        with suppress(ProcessLookupError):
            os.kill(self.node() if what == "node" else self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def signal(self, number: int) -> None:
        """Send a signal to node and application."""
        assert self.process
        for pid in (self.node(), self.process.pid):
            os.kill(pid, number)

    def stop(self) -> None:
        """End it in order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(20)

    def ledger(self) -> CometLedger:
        """The ledger as this institution sees it."""
        return CometLedger(self.url, self.home.state, patience=20)

    def sign(self, chain_id: str, kind: str, body: dict[str, Any], valid_for: int = 600) -> bytes:
        """A transaction of this institution."""
        with self._signing:
            number = next(self.numbers)
        fields = {"chain_id": chain_id, "type": kind, "institution": self.name, "key_id": key_id_of(self.public_key)}
        return seal({**fields, "seq": number, "valid_until": int(time.time()) + valid_for, "body": body}, self.key)

    def access(self, chain_id: str, number: int) -> bytes:
        """A transaction that depends on no other one: a sealed segment of an audit log."""
        root, stream = sha256(b"%d" % number).digest(), sha256(self.name.encode()).digest()[:16]
        return self.sign(chain_id, "AccessBatch", {"root": root, "count": 1, "first": 0, "last": 0, "stream": stream})

    def log(self) -> str:
        """What its processes said."""
        return (self.home.home / "log").read_text(errors="replace")[-3000:]


class Consortium:
    """Institutions that hold one ledger.

    Args:
        folder: For everything.
        size: How many.
        commit_ms: Milliseconds between one block and the next.
    """

    def __init__(self, folder: Path, size: int = 4, commit_ms: int = 200) -> None:
        node_program(), interface_file()
        ports = free_ports(2 * size)
        names = [f"institution-{number}" for number in range(size)]
        self.members = [Institution(folder, name, pair) for name, pair in zip(names, _pairs(ports), strict=True)]
        parts = [member.make(commit_ms) for member in self.members]
        # A second machine of the last institution, which the others let in.
        self.spare = Institution(folder, "spare", _pairs(free_ports(2))[0])
        spare = self.spare.make(commit_ms)
        wires = {(one, other): self.members[other].port for one in range(size) for other in range(size) if one != other}
        self.relays = Relays(wires)
        for number, member in enumerate(self.members):
            self.genesis: Genesis = member.home.create_genesis(parts, "region-of-the-tests")
            ways = [(self.relays.ports[number, other], parts[other].node) for other in range(size) if other != number]
            peers = [f"{node}@127.0.0.1:{port}" for port, node in ways]
            member.home.set_peers([*peers, spare.peer] if number < size - 1 else peers)

    @property
    def chain_id(self) -> str:
        """The chain's name."""
        return self.genesis.chain_id

    def start(self) -> None:
        """Start everybody and wait for the first block."""
        for member in self.members:
            member.start()
        self.wait_for_height(1)

    def stop(self) -> None:
        """End everybody."""
        for member in self.members:
            with suppress(subprocess.TimeoutExpired):
                member.stop()
            if member.process and member.process.poll() is None:
                member.process.kill()
        self.relays.close()

    def heights(self) -> list[int]:
        """Each node's last block; -1 when it does not answer."""
        return [height(member.url) for member in self.members]

    def wait_for_height(self, wanted: int, some: Sequence[int] = (), seconds: float = 60) -> None:
        """Wait until these nodes, or all, have a block."""
        chosen = [self.members[number] for number in some] if some else self.members
        self.wait(lambda: all(height(member.url) >= wanted for member in chosen), f"block {wanted}", seconds)

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            said = "\n".join(f"{member.name}:\n{member.log()}" for member in self.members)
            assert time.monotonic() < end, f"no {what} after {seconds} s, heights {self.heights()}\n{said}"
            time.sleep(0.05)

    def meet_again(self) -> int:
        """Wait until all have the same last block and are still for a moment; gives its height."""

        def even() -> bool:
            heights = self.heights()
            return len(set(heights)) == 1 and heights[0] > 0

        self.wait(even, "common height")
        return min(self.heights())

    def hashes(self, number: int, last: int) -> list[tuple[str, str]]:
        """(block hash, application hash) of every block of one node."""
        client = NodeClient(self.members[number].url)
        metas: dict[int, tuple[str, str]] = {}
        for first in range(1, last + 1, 20):
            found = client.call("blockchain", minHeight=str(first), maxHeight=str(min(first + 19, last)))
            for meta in found["block_metas"]:
                metas[int(meta["header"]["height"])] = (meta["block_id"]["hash"], meta["header"]["app_hash"])
        client.close()
        return [metas[one] for one in range(1, last + 1)]

    def check_same_everywhere(self) -> int:
        """Every node has the same blocks and application hashes at every height; gives the height compared."""
        last = self.meet_again()
        first = self.hashes(0, last)
        for number in range(1, len(self.members)):
            assert self.hashes(number, last) == first, f"{self.members[number].name} has another history"
        return last


class Load(threading.Thread):
    """Signed transactions at a steady pace, handed to every institution in turn until they are acknowledged.

    Args:
        consortium: Where.
        batch: Transactions handed in at once.
        pause: Seconds between two of them.
    """

    _first = itertools.count()

    def __init__(self, consortium: Consortium, batch: int = 5, pause: float = 0.1) -> None:
        super().__init__(name="load", daemon=True)
        self.acknowledged: list[Receipt] = []
        self.refused: list[Receipt] = []
        self.failure: Exception | None = None
        self._consortium, self._batch, self._pause = consortium, batch, pause
        self._ended = threading.Event()

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(120)
        assert not self.is_alive(), "a transaction was not acknowledged in two minutes"
        if self.failure:
            raise self.failure

    def run(self) -> None:
        """Hand in until told to end; what was handed in is followed until it is acknowledged."""
        try:
            self._run()
        except Exception as failure:
            self.failure = failure

    def _run(self) -> None:
        members = self._consortium.members
        ledgers = [member.ledger() for member in members]
        for turn in itertools.cycle(range(len(members))):
            if self._ended.is_set():
                break
            numbers = [next(self._first) for _ in range(self._batch)]
            waiting = [members[turn].access(self._consortium.chain_id, number) for number in numbers]
            self._follow(ledgers, turn, waiting)
            time.sleep(self._pause)
        for ledger in ledgers:
            ledger.close()

    def _follow(self, ledgers: list[CometLedger], turn: int, waiting: list[bytes]) -> None:
        """Hand the same transactions to one institution after the other until one acknowledges them."""
        for way in itertools.islice(itertools.cycle([*range(turn, len(ledgers)), *range(turn)]), 400):
            with suppress(LedgerUnavailable):
                receipts = ledgers[way].submit(waiting, wait=3)
                self.refused += [receipt for receipt in receipts if receipt.code is not Code.OK]
                self.acknowledged += [receipt for receipt in receipts if receipt.height is not None]
                waiting = [
                    tx for tx, one in zip(waiting, receipts, strict=True) if one.code is Code.OK and not one.height
                ]
                if not waiting:
                    return
            time.sleep(0.05)
        raise AssertionError("nobody acknowledged")


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Four institutions, their nodes and applications running."""
    need_consortium()
    with running_consortium(tmp_path_factory.mktemp("consortium")) as running:
        yield running


@contextmanager
def running_consortium(folder: Path, size: int = 4, commit_ms: int = 200) -> Iterator[Consortium]:
    """A consortium that ends with the block."""
    consortium = Consortium(folder, size, commit_ms)
    try:
        consortium.start()
        yield consortium
    finally:
        consortium.stop()


def need_consortium() -> None:
    """Skip, saying plainly what was not tested."""
    try:
        node_program(), interface_file()
    except NotFound as error:
        pytest.skip(f"the ledger between institutions was not tested: {error}")


def height(url: str) -> int:
    """A node's last block; -1 when it does not answer."""
    client = NodeClient(url, 2)
    try:
        return int(client.call("status")["sync_info"]["latest_block_height"])
    except LedgerUnavailable:
        return -1
    finally:
        client.close()


def logged(member: Institution) -> list[bytes]:
    """Digests of everything in one institution's log, in order."""
    import sqlite3

    with sqlite3.connect(f"file:{member.home.state}?mode=ro", uri=True) as connection:
        return [digest for (digest,) in connection.execute("SELECT digest FROM entry ORDER BY number")]


def in_blocks(member: Institution, last: int) -> list[bytes]:
    """Digests of everything in the blocks that one institution's node keeps, in order."""
    import base64

    client, found = NodeClient(member.url), []
    for number in range(1, last + 1):
        for tx in client.call("block", height=str(number))["block"]["data"]["txs"] or []:
            found.append(digest_of(base64.b64decode(tx)))
    client.close()
    return found


def _pairs(ports: list[int]) -> list[tuple[int, int]]:
    return list(zip(ports[::2], ports[1::2], strict=True))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
