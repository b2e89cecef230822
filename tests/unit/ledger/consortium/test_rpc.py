from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from xinglin.core.errors import LedgerUnavailable, UsageError
from xinglin.ledger import Code
from xinglin.ledger.consortium.rpc import NodeClient
from xinglin.ledger.consortium.status import query_nodes


class Node(BaseHTTPRequestHandler):
    """Answers every call with the next of `answers`."""

    answers: list[dict[str, Any]]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        requests = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = [{"id": 0, **self.answers.pop(0)} for _ in requests]
        content = json.dumps(said if len(said) > 1 else said[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *words: Any) -> None:
        """Nothing."""


@pytest.fixture
def client() -> Iterator[NodeClient]:
    Node.answers = []
    server = HTTPServer(("127.0.0.1", 0), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = NodeClient(f"http://127.0.0.1:{server.server_port}", 2)
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def refusal(reason: str) -> dict[str, Any]:
    return {"error": {"code": -32603, "message": "Internal error", "data": reason}}


def test_what_the_node_says_of_a_transaction_is_understood(client: NodeClient) -> None:
    Node.answers = [
        {"result": {"code": 0}},
        {"result": {"code": 7}},
        refusal("tx already exists in cache"),
        refusal("Tx too large. Max size is 65536, but got 70000"),
    ]
    said = [client.submit(b"tx") for _ in range(4)]
    assert [(one.code, one.known) for one in said] == [(0, False), (7, False), (0, True), (Code.OVERSIZED, False)]


def test_a_full_pool_can_be_tried_again(client: NodeClient) -> None:
    Node.answers = [refusal("mempool is full: number of txs 5000 (max: 5000)")]
    with pytest.raises(LedgerUnavailable, match="full") as told:
        client.submit(b"tx")
    assert told.value.retry


def test_of_many_poured_in_those_not_taken_come_back(client: NodeClient) -> None:
    Node.answers = [{"result": {}}, refusal("mempool is full"), refusal("tx already exists in cache")]
    assert client.broadcast([b"1", b"2", b"3"]) == [b"2"]
    assert client.broadcast([]) == []


def test_a_node_that_is_gone_is_unavailable_and_the_status_says_so() -> None:
    client = NodeClient("http://127.0.0.1:1", 1)
    with pytest.raises(LedgerUnavailable):
        client.call("status")
    report = query_nodes(["http://127.0.0.1:1"], 1)
    assert (report.agree, report.height, bool(report.nodes[0].trouble)) == (False, 0, True)


def test_a_door_is_reached_over_http_alone() -> None:
    for url in ("https://node:1", "127.0.0.1:26657", "http://node"):
        with pytest.raises(UsageError):
            NodeClient(url)


@pytest.mark.parametrize("answer", [{}, {"error": "text"}, {"result": {}}, {"result": 5}, {"result": {"code": 9_999}}])
def test_what_is_no_node_is_said_to_be_none(client: NodeClient, answer: dict[str, Any]) -> None:
    Node.answers = [answer]
    with pytest.raises(LedgerUnavailable):
        client.submit(b"tx")


@pytest.mark.parametrize("result", [5, {}, {"sync_info": 5}, {"sync_info": {"latest_block_height": "x"}, "peers": []}])
def test_the_standing_of_what_is_no_node_is_trouble(client: NodeClient, result: object) -> None:
    Node.answers = [{"result": result}] * 4
    assert query_nodes([client.url]).nodes[0].trouble
