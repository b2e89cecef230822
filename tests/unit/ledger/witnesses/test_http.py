"""The witness over HTTP: the statuses of tlog-witness, and a ledger that asks."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ledger.witnesses.test_witness import CLOCK, LOG, request
from xinglin.core.errors import LedgerUnavailable
from xinglin.ledger.proofs.checkpoint import open_checkpoint
from xinglin.ledger.witnesses.http import ask_witness, witness_server
from xinglin.ledger.witnesses.witness import Refusal, Refused, Witness


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    made = Witness(tmp_path / "witness", CLOCK, "witness.example/one")
    made.trust(LOG)
    return made


@pytest.fixture
def door(witness: Witness) -> Iterator[int]:
    server = witness_server(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def post(port: int, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, body)
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"], answer.read().decode()
    connection.close()
    return found


def test_statuses_are_those_of_the_specification(door: int) -> None:
    status, _, line = post(door, str(request(0, 5)).encode())
    assert (status, line.startswith("— witness.example/one ")) == (200, True)
    assert post(door, str(request(0, 7)).encode()) == (409, "text/x.tlog.size", "5\n")
    assert post(door, str(request(5, 5, "other")).encode()) == (409, "text/x.tlog.size", "5\n")
    assert post(door, str(request(5, 7, "other")).encode())[0] == 422
    assert post(door, str(request(7, 6)).encode())[0] == 400
    assert post(door, str(request(5, 7)).replace("region.example\n7", "other.example\n7").encode())[0] == 404
    assert post(door, str(request(5, 7)).replace("1780000000", "1780000001").encode())[0] == 403
    assert post(door, b"\xff")[0] == post(door, b"old x")[0] == 400
    assert post(door, str(request(5, 7)).encode(), "/other")[0] == 404
    assert post(door, str(request(5, 7)).encode())[0] == 200


def test_a_ledger_is_told_what_the_witness_saw_and_asks_again(door: int, witness: Witness) -> None:
    url = f"http://127.0.0.1:{door}"
    for size in (4, 9):
        # The ledger has forgotten what was cosigned, so it begins at nothing each time.
        note = ask_witness(url, lambda since, size=size: request(since or 0, size))
        checkpoint, cosigners = open_checkpoint(str(note), LOG, [witness.key])
        assert (checkpoint.size, len(cosigners)) == (size, 1)
    with pytest.raises(Refused) as caught:
        ask_witness(url, lambda since: request(9, 9, "other"))
    assert caught.value.reason is Refusal.CONFLICT


def test_a_witness_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        ask_witness("http://127.0.0.1:1", lambda since: request(0, 1))
