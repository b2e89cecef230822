"""The ABCI server: a Unix socket with four connections of the node, answered in the order of the requests.

One thread serves all connections (asyncio), so the application needs no locks. Responses are buffered until the node
sends a flush request. An exception of the application stops the server: a ledger that cannot execute a block must stop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from xinglin.core.errors import Conflict, UsageError
from xinglin.ledger.consortium.interface import Interface, check_tx_of, frame, split_messages
from xinglin.ledger.consortium.socket_path import LONGEST_PATH, private_folder

__all__ = ["Application", "Server"]

_CHECK = "check_tx"
_FLUSH = "flush"
_TURN = 64


class Application(Protocol):
    """An ABCI 2.0 application. Requests are named ``info``, ``finalize_block``, …; CheckTx is separate."""

    def answer(self, kind: str, request: Any) -> Any:
        """The response message to a request of this kind."""

    def check(self, transactions: Sequence[bytes]) -> list[Any]:
        """The CheckTx responses to several transactions, checked together for speed."""


class Server:
    """Serves one application on a Unix socket with mode 600.

    Args:
        application: The application.
        interface: The ABCI messages.
        socket: Path of the socket; a stale socket is replaced.
    """

    def __init__(self, application: Application, interface: Interface, socket: Path) -> None:
        if len(os.fsencode(socket)) > LONGEST_PATH:
            raise UsageError(
                f"the path of the socket is longer than {LONGEST_PATH} bytes",
                source=str(socket),
                remedy="set another path: [ledger] socket in xinglin.toml",
            )
        self.failure: Exception | None = None
        self._application = application
        self._request = interface.message("Request")
        self._response = interface.message("Response")
        flushed = self._response()
        flushed.flush.SetInParent()
        self._flushed = frame(flushed.SerializeToString())
        self._repeated: tuple[Any, bytes] = None, b""
        self._socket = socket
        private_folder(socket.parent)
        self._ended: asyncio.Event | None = None

    async def serve(self, ready: Callable[[], None], leaving: Callable[[], Awaitable[None]] | None = None) -> None:
        """Serve until `end` is called or the application raises; `failure` then holds the error.

        Args:
            ready: Called when the socket accepts connections.
            leaving: Awaited after `end`, while the application still answers.

        Raises:
            Conflict: Another application serves this socket.
        """
        await self._claim()
        self._ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        old = os.umask(0o177)
        try:
            server = await loop.create_unix_server(lambda: _Connection(self), str(self._socket))
        finally:
            os.umask(old)
        ready()
        await self._ended.wait()
        if leaving:
            await leaving()
        server.close()
        self._socket.unlink(missing_ok=True)

    def end(self, failure: Exception | None = None) -> None:
        """Make `serve` return; call from its thread."""
        self.failure = self.failure or failure
        if self._ended:
            self._ended.set()

    async def _claim(self) -> None:
        with suppress(OSError):
            _, writer = await asyncio.open_unix_connection(str(self._socket))
            writer.close()
            raise Conflict("another application serves this node", source=str(self._socket), remedy="stop it first")
        self._socket.unlink(missing_ok=True)

    def respond(self, messages: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
        """Framed responses to consecutive requests, each with whether the buffer must be flushed.

        Raises:
            ValueError: The kind of a request is unknown.
        """
        waiting: list[bytes] = []
        for message in messages:
            transaction = check_tx_of(message)
            if transaction is not None:
                waiting.append(transaction)
                continue
            request = self._request.FromString(message)
            kind = request.WhichOneof("value")
            if kind is None:
                raise ValueError("the kind of the request is unknown")
            if kind == _CHECK:
                waiting.append(request.check_tx.tx)
                continue
            if waiting:
                yield self._checked(waiting), False
                waiting = []
            yield self._answered(kind, getattr(request, kind)), kind == _FLUSH
        if waiting:
            yield self._checked(waiting), False

    def _checked(self, transactions: list[bytes]) -> bytes:
        return b"".join([self._framed(_CHECK, answer) for answer in self._application.check(transactions)])

    def _answered(self, kind: str, request: Any) -> bytes:
        if kind == _FLUSH:
            return self._flushed
        if kind == "echo":
            response = self._response()
            response.echo.message = request.message
            return frame(response.SerializeToString())
        return self._framed(kind, self._application.answer(kind, request))

    def _framed(self, kind: str, answer: Any) -> bytes:
        if answer is not self._repeated[0]:
            # The response to valid transactions is one object: frame it once.
            response = self._response()
            getattr(response, kind).CopyFrom(answer)
            self._repeated = answer, frame(response.SerializeToString())
        return self._repeated[1]


class _Connection(asyncio.Protocol):
    """One of the node's connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._arrived = bytearray()
        self._held = bytearray()
        self._working = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if not self._working:
            self._work()

    def _work(self) -> None:
        """Answer some requests, then yield to the other connections: blocks must not wait for the mempool."""
        assert self._transport
        arrived = split_messages(self._arrived)
        try:
            messages = [*islice(arrived, _TURN)]
            arrived.close()
            for response, flush in self._server.respond(messages):
                self._held += response
                if flush:
                    self._transport.write(bytes(self._held))
                    self._held.clear()
        except Exception as error:
            # Without an answer the node stops too; nothing was committed.
            self._transport.abort()
            self._server.end(error)
            return
        self._working = len(messages) == _TURN
        if self._working:
            asyncio.get_running_loop().call_soon(self._work)
