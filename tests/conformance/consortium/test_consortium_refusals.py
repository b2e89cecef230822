"""What no honest validator lets in: refused when it is handed in, and again in the block of a proposer that lies."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.consortium import Consortium, need_consortium
from xinglin.ledger import Code, key_id_of
from xinglin.ledger.consortium.application import LedgerApplication
from xinglin.ledger.consortium.interface import Interface, check_tx_of, frame, interface, split_messages
from xinglin.ledger.consortium.members import Member, genesis_of
from xinglin.ledger.consortium.server import Server
from xinglin.ledger.state.store import Store
from xinglin.ledger.transactions.envelope import DAY, MAX_BYTES, seal

Sign = Callable[..., bytes]
KEY = bytes(range(32))
NOW = 1_800_000_000
ACCEPT, REJECT = 1, 2


def signer(chain_id: str, institution: str, key: bytes, now: int, numbers: Iterator[int] | None = None) -> Sign:
    """Signs access batches, whose envelope a test may bend."""
    key_id = key_id_of(bytes(SigningKey(key).verify_key))
    numbers = numbers or count(1_000)

    def sign(**bent: Any) -> bytes:
        number = next(numbers)
        body = {"root": sha256(b"%d" % -number).digest(), "count": 1, "first": 0, "last": 0, "stream": bytes(16)}
        fields = {"chain_id": chain_id, "type": "AccessBatch", "institution": institution, "key_id": key_id}
        told = {**fields, "seq": number, "valid_until": now + 600, "body": body, **bent}
        return seal(told, told.pop("signed_by", key))

    return sign


def bad(sign: Sign, now: int) -> dict[Code, bytes]:
    """One transaction for each reason, none of which was ever good."""
    return {
        Code.BAD_SIGNATURE: sign(signed_by=bytes(32)),
        Code.FOREIGN_CHAIN: sign(chain_id="another-chain"),
        Code.EXPIRED: sign(valid_until=now - 3600),
        Code.TOO_FAR_AHEAD: sign(valid_until=now + 2 * DAY),
        Code.OVERSIZED: sign(type="x" * MAX_BYTES),
        Code.MALFORMED: b"no transaction",
        Code.UNKNOWN_KEY: sign(key_id="00" * 8),
        Code.UNKNOWN_TYPE: sign(type="Nothing"),
        Code.BAD_BODY: sign(body={}),
    }


def test_a_running_node_refuses_each_of_them_and_says_why(consortium: Consortium) -> None:
    member, now = consortium.members[0], int(time.time())
    sign = signer(consortium.chain_id, member.name, member.key, now, member.numbers)
    ledger = member.ledger()
    for code, transaction in bad(sign, now).items():
        assert [one.code for one in ledger.submit([transaction], wait=5)] == [code]
    used = next(member.numbers)
    first = sign(seq=used)
    assert ledger.submit([first], wait=30)[0].height
    assert ledger.submit([sign(seq=used)], wait=5)[0].code is Code.REPLAYED_SEQ
    assert ledger.submit([first], wait=5)[0].height, "handing in again is no repetition"
    ledger.close()


class Node:
    """What a node's consensus connection asks, over the application's own socket."""

    def __init__(self, path: Path, messages: Interface) -> None:
        self._messages = messages
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(path))
        self._arrived = bytearray()

    def ask(self, kind: str, **fields: Any) -> Any:
        """One request and its answer."""
        request, flush = self._messages.message("Request")(), self._messages.message("Request")()
        getattr(request, kind).SetInParent()
        for name, value in fields.items():
            self._fill(getattr(request, kind), name, value)
        flush.flush.SetInParent()
        self._socket.sendall(frame(request.SerializeToString()) + frame(flush.SerializeToString()))
        answers: list[bytes] = []
        while len(answers) < 2:
            self._arrived += self._socket.recv(65536)
            answers += split_messages(self._arrived)
        response = self._messages.message("Response").FromString(answers[0])
        return getattr(response, response.WhichOneof("value"))

    def block(self, height: int, transactions: list[bytes]) -> bool:
        """Have a block executed and committed, if the application accepts it."""
        asked = {"height": height, "txs": transactions, "time": NOW}
        if self.ask("process_proposal", **asked).status != ACCEPT:
            return False
        decided = self.ask("finalize_block", **asked)
        assert all(result.code == 0 for result in decided.tx_results)
        self.ask("commit")
        return True

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    @staticmethod
    def _fill(message: Any, name: str, value: Any) -> None:
        if isinstance(value, list):
            getattr(message, name).extend(value)
        elif name == "time":
            message.time.seconds = value
        else:
            setattr(message, name, value)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """An application of its own, begun with one institution, and a node that may say what it likes."""
    need_consortium()
    messages, path, ready = interface(), tmp_path / "abci.sock", threading.Event()
    public_key = bytes(SigningKey(KEY).verify_key).hex()
    genesis = genesis_of([Member("north", public_key, "cd" * 32, 1, "ef" * 20, "127.0.0.1:1", NOW - 60)], "region")
    loops: list[asyncio.AbstractEventLoop] = []
    store = Store(tmp_path / "ledger.sqlite")
    server = Server(LedgerApplication(store, messages, lambda: NOW), messages, path)

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve(ready.set)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    asking = Node(path, messages)
    voting = messages.message("ValidatorUpdate")(power=1)
    voting.pub_key.ed25519 = bytes.fromhex("cd" * 32)
    asking.ask(
        "init_chain", chain_id="region", app_state_bytes=genesis.to_json().encode(), validators=[voting], time=NOW
    )
    yield asking
    asking.close()
    loops[0].call_soon_threadsafe(server.end)
    thread.join(10)
    store.close()
    if server.failure:
        raise server.failure


def test_a_block_with_one_of_them_is_refused_whole(node: Node) -> None:
    sign = signer("region", "north", KEY, NOW)
    for code, transaction in bad(sign, NOW).items():
        assert node.ask("check_tx", tx=transaction).code == code
        assert not node.block(1, [sign(), transaction, sign()]), code.name
    good = [sign(), sign()]
    assert node.block(1, good)
    assert not node.block(2, [sign(), good[0]]), "a transaction of an earlier block"
    assert not node.block(2, [sign(seq=77), sign(seq=77)]), "one number twice in a block"
    assert node.ask("info").last_block_height == 1


def test_a_proposal_keeps_only_what_applies_in_order(node: Node) -> None:
    sign = signer("region", "north", KEY, NOW)
    good = [sign(), sign()]
    offered = [good[0], *bad(sign, NOW).values(), good[0], good[1]]
    proposed = node.ask("prepare_proposal", height=1, time=NOW, txs=offered, max_tx_bytes=1_000_000)
    assert list(proposed.txs) == good
    assert node.block(1, list(proposed.txs))


def test_what_cannot_apply_after_what_waits_already_is_refused_at_once(node: Node) -> None:
    sign = signer("region", "north", KEY, NOW)
    fields = {"site": "lab", "root": bytes(32), "size": 1, "schema": "fhir"}
    first = {**fields, "sequence": 1, "manifest": b"1" * 32, "previous": None}
    second = {**fields, "sequence": 2, "manifest": b"2" * 32, "previous": b"1" * 32}
    other = {**second, "manifest": b"3" * 32}
    waiting = [sign(type="DataAnchor", body=body) for body in (first, second)]
    assert [node.ask("check_tx", tx=transaction).code for transaction in waiting] == [Code.OK, Code.OK]
    assert node.ask("check_tx", tx=sign(type="DataAnchor", body=other)).code == Code.WRONG_SEQUENCE
    assert node.block(1, waiting)


def test_a_block_that_was_only_proposed_is_never_committed(node: Node) -> None:
    sign = signer("region", "north", KEY, NOW)
    before = node.ask("info").last_block_height
    node.ask("finalize_block", height=1, txs=[sign()], time=NOW)
    node.ask("process_proposal", height=1, txs=[sign()], time=NOW)
    node.ask("finalize_block", height=1, txs=[sign()], time=NOW)
    assert node.ask("info").last_block_height == before
    node.ask("commit")
    assert node.ask("info").last_block_height == 1


def test_a_request_to_check_a_transaction_is_read_as_the_interface_writes_it() -> None:
    need_consortium()
    request = interface().message("Request")()
    for again in (0, 1):
        request.check_tx.tx, request.check_tx.type = b"some transaction", again
        assert check_tx_of(request.SerializeToString()) == b"some transaction"
    request.check_tx.tx = b""
    assert check_tx_of(request.SerializeToString()) is None
