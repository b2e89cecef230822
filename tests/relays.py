"""Wires between nodes that can be cut: every connection from one to another goes through a relay of this process.

A cut wire carries nothing in either direction and loses nothing: what was sent arrives when the wire is whole again,
as with TCP over a network that was down for a while. New connections over a cut wire stay unanswered meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from contextlib import suppress

Wire = tuple[int, int]


class Relays:
    """One listening port for each wire (from, to).

    Args:
        targets: The port on the loopback that each wire leads to.
    """

    def __init__(self, targets: dict[Wire, int]) -> None:
        self.ports: dict[Wire, int] = {}
        self._targets = targets
        self._whole: dict[Wire, asyncio.Event] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def cut(self, wires: Iterable[Wire]) -> None:
        """Let nothing pass over these wires, whoever connected."""
        for wire in wires:
            self._loop.call_soon_threadsafe(self._whole[wire].clear)

    def mend(self) -> None:
        """All wires are whole."""
        for event in self._whole.values():
            self._loop.call_soon_threadsafe(event.set)

    def between(self, some: Iterable[int], others: Iterable[int]) -> list[Wire]:
        """All wires between two groups."""
        pairs = [(one, other) for one in some for other in others]
        return [*pairs, *((other, one) for one, other in pairs)]

    def close(self) -> None:
        """End every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _listen(self) -> None:
        for wire, port in self._targets.items():
            self._whole[wire] = asyncio.Event()
            self._whole[wire].set()
            server = await asyncio.start_server(self._handler(wire, port), "127.0.0.1", 0)
            self.ports[wire] = server.sockets[0].getsockname()[1]

    def _handler(self, wire: Wire, port: int):  # type: ignore[no-untyped-def]
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._whole[wire].wait()
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.close()
                return
            there = self._carry(wire, reader, far_writer)
            back = self._carry(wire, far_reader, writer)
            await asyncio.gather(there, back)

        return handle

    async def _carry(self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._whole[wire].wait()
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()
