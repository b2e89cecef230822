"""RPC client of the institution's own node: JSON-RPC 2.0 over HTTP, one persistent connection per thread."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from xinglin.core.errors import LedgerUnavailable, UsageError
from xinglin.ledger.codes import Code

__all__ = ["CheckResult", "NodeClient"]

_IN_CACHE = "tx already exists in cache"
_TOO_LARGE = "Tx too large"
_EITHER = {"result", "error"}
_CODES = {int(code): code for code in Code}


class CheckResult:
    """A node's answer to a submitted transaction.

    Args:
        code: The application's code; zero if the transaction waits for a block.
        known: The node received it before; it waits or was committed.
    """

    __slots__ = ("code", "known")

    def __init__(self, code: int, known: bool) -> None:
        self.code = code
        self.known = known


class NodeClient:
    """Calls a node. Thread-safe.

    Args:
        url: RPC address, ``http://host:port``.
        patience: Timeout in seconds.
    """

    def __init__(self, url: str, patience: float = 10.0) -> None:
        place = urlsplit(url)
        if place.scheme != "http" or not place.hostname or not place.port:
            raise UsageError("the address of the node is invalid", source=url, remedy="write http://HOST:PORT")
        self.url = url
        self._host, self._port, self._patience = place.hostname, place.port, patience
        self._threads = threading.local()
        self._open: set[http.client.HTTPConnection] = set()

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method and return its result.

        Raises:
            LedgerUnavailable: The node does not answer or returns an error.
        """
        [answer] = self._post([_request(method, parameters)])
        if "error" in answer:
            raise self._unavailable(_reason(answer))
        return answer["result"]

    def submit(self, transaction: bytes) -> CheckResult:
        """Submit a transaction and wait for its check (``broadcast_tx_sync``).

        Raises:
            LedgerUnavailable: The node does not answer, or its mempool is full.
        """
        [answer] = self._post([_request("broadcast_tx_sync", {"tx": _text(transaction)})])
        if "error" not in answer:
            try:
                return CheckResult(_CODES[answer["result"]["code"]], False)
            except (KeyError, TypeError) as error:
                raise self._unavailable("it returned an unknown code") from error
        reason = _reason(answer)
        if _IN_CACHE in reason:
            return CheckResult(0, True)
        if _TOO_LARGE in reason:
            return CheckResult(Code.OVERSIZED, False)
        raise self._unavailable(reason)

    def broadcast(self, transactions: Sequence[bytes]) -> list[bytes]:
        """Submit many transactions without waiting for their checks (``broadcast_tx_async``).

        Returns:
            Transactions that the node did not accept, usually because its mempool is full.

        Raises:
            LedgerUnavailable: The node does not answer.
        """
        if not transactions:
            return []
        answers = self._post([_request("broadcast_tx_async", {"tx": _text(tx)}) for tx in transactions])
        taken = ["error" not in answer or _IN_CACHE in _reason(answer) for answer in answers]
        return [tx for tx, well in zip(transactions, taken, strict=True) if not well]

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self._open):
            connection.close()

    def _post(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        body = json.dumps(requests).encode()
        for last in (False, True):
            connection = self._connection()
            try:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                answers = json.loads(connection.getresponse().read())
                return self._answers(answers if isinstance(answers, list) else [answers], len(requests))
            except (OSError, http.client.HTTPException, ValueError) as error:
                # A restarted node has closed the persistent connection; retry once.
                connection.close()
                if isinstance(error, ConnectionRefusedError):
                    raise self._unavailable("it is not running", "run xinglin ledger start") from error
                if last or isinstance(error, TimeoutError):
                    raise self._unavailable("no answer") from error
        raise AssertionError("unreachable")

    def _answers(self, answers: list[Any], expected: int) -> list[dict[str, Any]]:
        """The answers, after a check that they come from a node and not from another service."""
        for one in answers:
            if not isinstance(one, dict) or not isinstance(one.get("error", {}), dict) or not one.keys() & _EITHER:
                raise self._unavailable("the address belongs to another service")
        if len(answers) != expected:
            raise self._unavailable("the address belongs to another service")
        return answers

    def _connection(self) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._threads, "connection", None)
        if kept is None:
            kept = self._threads.connection = http.client.HTTPConnection(self._host, self._port, timeout=self._patience)
            self._open.add(kept)
        return kept

    def _unavailable(self, reason: str, remedy: str = "check the nodes: xinglin ledger status") -> LedgerUnavailable:
        what = f"the ledger's node is unavailable: {reason}"
        return LedgerUnavailable(what, source=self.url, remedy=remedy, retry=True)


def _request(method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}


def _reason(answer: dict[str, Any]) -> str:
    return str(answer["error"].get("data") or answer["error"].get("message"))


def _text(transaction: bytes) -> str:
    return base64.b64encode(transaction).decode()
