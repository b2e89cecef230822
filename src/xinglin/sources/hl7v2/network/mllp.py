"""MLLP (HL7's Minimal Lower Layer Protocol, release 1): frames out of bytes, and a listener that answers each message.

A frame is ``<VT> message <FS> <CR>``. A message is answered only when `Keep` has returned, that is when it is durable.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xinglin.core.clock import Clock
from xinglin.core.errors import StorageError
from xinglin.sources.hl7v2.network.acknowledge import Inspection, acknowledge, inspect

if TYPE_CHECKING:
    import ssl

__all__ = ["Frames", "Keep", "MllpLimits", "MllpServer", "Tally"]

Keep = Callable[[list[bytes]], Awaitable[None]]
"""Makes messages durable; raises `StorageError` where they cannot be kept."""

_START = b"\x0b"
_RESTART = b"\x0bMSH"
_END = re.compile(rb"\x1c(?:[\r\n]|(?=\x0b))")
_CHUNK = 262_144
_HEAD = 65_536
_PAUSE = 0.5
_PARTING = 1.0


@dataclass(frozen=True)
class MllpLimits:
    """What one peer may do to a listener.

    Args:
        frame_bytes: Longest message.
        buffered_bytes: Bytes of unfinished messages over all connections.
        connections: Connections at once.
        idle_seconds: A connection that says nothing for so long is closed.
        frame_seconds: A message that was begun must go on within this time, an answer must be taken.
        garbage_bytes: Bytes outside frames after which a connection is closed.
    """

    frame_bytes: int = 16_000_000
    buffered_bytes: int = 256_000_000
    connections: int = 200
    idle_seconds: float = 300
    frame_seconds: float = 30
    garbage_bytes: int = 1_000_000


@dataclass
class Tally:
    """Messages that were taken (AA), refused for what they are (AR), sent back because they could not be kept (AE)."""

    taken: int = 0
    refused: int = 0
    sent_back: int = 0


@dataclass
class Frames:
    """Cuts the bytes of one connection into messages.

    A sender's carelessness is borne with: LF for CR at the end of a frame, none at all, line ends between frames, a
    frame begun anew before the last one ended.

    Args:
        limit: Longest message.

    Example:
        >>> frames = Frames(100)
        >>> frames.feed(b"\\x0bMSH|1\\r\\x1c\\r\\n\\x0bMSH|2\\r"), frames.feed(b"\\x1c\\r")
        ([b'MSH|1\\r'], [b'MSH|2\\r'])
    """

    limit: int
    garbage: int = 0
    unfinished: int = 0
    too_large: bytes | None = None
    _buffer: bytearray = field(default_factory=bytearray)
    _inside: bool = False
    _searched: int = 0

    @property
    def pending(self) -> int:
        """Bytes of a message that was begun."""
        return len(self._buffer) + self._inside

    @property
    def dangling(self) -> bool:
        """Whether the bytes so far end with a frame's end that lacks its CR."""
        return self._inside and self._buffer.endswith(b"\x1c")

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now; `too_large` holds the beginning of one that is not let in."""
        self._buffer += data
        found = []
        while self._inside or self._begin():
            end = _END.search(self._buffer, self._searched)
            if end is None:
                self._searched = max(0, len(self._buffer) - 1)
                break
            found.append(self._message(end.start(), end.end()))
        if len(self._buffer) > self.limit:
            self.too_large = bytes(self._buffer[:_HEAD])
            self._buffer.clear()
        return found

    def _begin(self) -> bool:
        """Skip to the beginning of a frame."""
        start = self._buffer.find(_START)
        skipped = self._buffer[: start if start >= 0 else len(self._buffer)]
        self.garbage += len(skipped) - skipped.count(b"\r") - skipped.count(b"\n")
        del self._buffer[: len(skipped) + 1]
        self._inside, self._searched = start >= 0, 0
        return self._inside

    def _message(self, end: int, after: int) -> bytes:
        begun_anew = self._buffer.rfind(_RESTART, 0, end)
        message = bytes(self._buffer[begun_anew + 1 : end])
        self.unfinished += begun_anew >= 0
        del self._buffer[:after]
        self._inside = False
        return message


class MllpServer:
    """A listener for one site.

    Args:
        keep: Makes messages durable.
        clock: Time that answers state.
        mapping: Text of the site's mapping file, which may add message types.
        limits: What a peer may do.
        trouble: Told of a connection's problem, in words without any value of a message.
    """

    def __init__(
        self,
        keep: Keep,
        clock: Clock,
        mapping: str | None,
        limits: MllpLimits,
        trouble: Callable[[str], None],
    ) -> None:
        self.tally = Tally()
        self._keep = keep
        self._clock = clock
        self._mapping = mapping
        self._limits = limits
        self._trouble = trouble
        self._buffered = 0
        self._answers = 0
        self._began = f"{int(clock().timestamp()):x}"
        self._open: dict[asyncio.Task[None], tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; gives the port, for a `port` of 0 the one that was free.

        Raises:
            OSError: The port cannot be had.
        """
        more = {"ssl_handshake_timeout": 10} if tls else {}
        self._server = await asyncio.start_server(self._connected, host, port, ssl=tls, backlog=256, **more)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, seconds: float = 5) -> None:
        """Accept nothing more; messages that are complete are still kept and answered."""
        if self._server is not None:
            self._server.close()
        for reader, writer in self._open.values():
            with suppress(RuntimeError):
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            reader.feed_eof()
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=seconds)
            for task in late:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        peer = (writer.get_extra_info("peername") or ("unknown",))[0]
        if task is None or len(self._open) >= self._limits.connections:
            self._trouble(f"{peer}: refused, {self._limits.connections} connections are open")
            writer.transport.abort()
            return
        self._open[task] = reader, writer
        frames = Frames(self._limits.frame_bytes)
        try:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            problem = await self._talk(reader, writer, frames)
        except (OSError, EOFError) as error:
            problem = f"broke off ({type(error).__name__})" if frames.pending else ""
        finally:
            self._open.pop(task)
            self._buffered -= frames.pending
        if problem:
            self._trouble(f"{peer}: {problem}")
            await _part(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: Frames) -> str:
        """Take and answer messages until one side ends it; what was wrong, in words."""
        limits = self._limits
        while True:
            data, timed_out = await self._read(reader, frames)
            if not data:
                if timed_out:
                    return "a message did not go on in time" if frames.pending else ""
                return "closed in the middle of a message, which was not acknowledged" if frames.pending else ""
            before = frames.pending
            found = frames.feed(data)
            self._buffered += frames.pending - before
            if found:
                await self._answer(found, writer)
            if frames.too_large is not None:
                await self._send_back([inspect(frames.too_large)], writer, "too-large")
                return f"a message is longer than {limits.frame_bytes} bytes"
            if self._buffered > limits.buffered_bytes and frames.pending > _HEAD:
                return "closed: too many unfinished messages are waiting in memory"
            if frames.garbage > limits.garbage_bytes:
                return f"more than {limits.garbage_bytes} bytes outside frames"

    async def _read(self, reader: asyncio.StreamReader, frames: Frames) -> tuple[bytes, bool]:
        """The next bytes; none at the end or when time ran out, and whether that was it."""
        seconds = self._limits.frame_seconds if frames.pending else self._limits.idle_seconds
        try:
            async with asyncio.timeout(_PAUSE if frames.dangling else seconds):
                return await reader.read(_CHUNK), False
        except TimeoutError:
            # A sender that ends its frames with FS alone waits for the answer now.
            return (b"\r", False) if frames.dangling else (b"", True)

    async def _answer(self, found: list[bytes], writer: asyncio.StreamWriter) -> None:
        inspected = [inspect(message, self._mapping) for message in found]
        try:
            await self._keep([message for message in found if message.strip()])
        except StorageError:
            await self._send_back(inspected, writer, "storage")
            return
        refused = sum(one.code != "AA" for one in inspected)
        self.tally.refused += refused
        self.tally.taken += len(found) - refused
        await self._write([acknowledge(one, self._clock(), self._number()) for one in inspected], writer)

    async def _send_back(self, inspected: list[Inspection], writer: asyncio.StreamWriter, reason: str) -> None:
        self.tally.sent_back += len(inspected)
        answers = [acknowledge(one, self._clock(), self._number(), "AE", reason) for one in inspected]
        await self._write(answers, writer)

    async def _write(self, answers: list[bytes], writer: asyncio.StreamWriter) -> None:
        """Send answers; the next message is read only when the peer takes them."""
        writer.write(b"".join(b"\x0b%b\x1c\r" % answer for answer in answers if answer))
        async with asyncio.timeout(self._limits.frame_seconds):
            await writer.drain()

    def _number(self) -> str:
        self._answers += 1
        return f"{self._began}-{self._answers}"


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the last answer arrive: a connection closed with bytes unread is reset, and the answer with it."""
    with suppress(OSError, RuntimeError, EOFError):
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(_PARTING):
            while await reader.read(_CHUNK):
                pass
