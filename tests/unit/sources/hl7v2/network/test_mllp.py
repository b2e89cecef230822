"""What a peer may do to an MLLP listener, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.core.clock import fixed_clock
from xinglin.core.errors import StorageError
from xinglin.sources.hl7v2.network.mllp import Frames, MllpLimits, MllpServer

QUICK = MllpLimits(frame_bytes=10_000, idle_seconds=5, frame_seconds=5)
NOON = fixed_clock(datetime(2026, 1, 1, 12, tzinfo=UTC))
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def oru(number: int, version: str = "2.5.1") -> bytes:
    return b"MSH|^~\\&|LAB|A|HIS|B|20240101||ORU^R01^ORU_R01|%d|P|%s\rPID|1||p\r" % (number, version.encode())


class Door:
    """A listener whose messages are kept in a list."""

    def __init__(self, limits: MllpLimits = QUICK) -> None:
        self.kept: list[bytes] = []
        self.full = False
        self.troubles: list[str] = []
        self.server = MllpServer(self.keep, NOON, None, limits, self.troubles.append)

    async def keep(self, messages: list[bytes]) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise StorageError("full")
        self.kept += messages


def talk(door: Door, play: Callable[[Reader, Writer], Awaitable[None]]) -> Door:
    async def run() -> None:
        port = await door.server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            await play(reader, writer)
        writer.close()
        await door.server.stop()

    asyncio.run(run())
    return door


async def answers(reader: Reader, count: int) -> list[str]:
    found = [await reader.readuntil(b"\x1c\r") for _ in range(count)]
    return [one.split(b"MSA|")[1].split(b"\r")[0].decode() for one in found]


@pytest.mark.parametrize("end", [b"\x1c\r", b"\x1c\r\n", b"\x1c\n", b"\x1c", b"\x1c\r\r\n\n"])
def test_a_frame_may_end_in_any_common_way(end: bytes) -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        for number in (1, 2):
            writer.write(b"\x0b" + oru(number) + end)
            assert await answers(reader, 1) == [f"AA|{number}"]

    assert talk(Door(), play).kept == [oru(1), oru(2)]


def test_messages_sent_without_waiting_are_answered_in_their_order() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"".join(b"\x0b" + oru(number) + b"\x1c\r" for number in range(300)))
        assert await answers(reader, 300) == [f"AA|{number}" for number in range(300)]

    assert len(talk(Door(), play).kept) == 300


def test_what_cannot_be_read_is_refused_and_kept_for_the_quarantine() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0bhello\x1c\r\x0b" + oru(7, "9.9") + b"\x1c\r\x0b \x1c\r\x0b" + oru(8) + b"\x1c\r")
        found = await answers(reader, 4)
        assert [one.split("|")[0] for one in found] == ["AR", "AR", "AR", "AA"]

    door = talk(Door(), play)
    assert door.kept == [b"hello", oru(7, "9.9"), oru(8)]
    assert (door.server.tally.taken, door.server.tally.refused) == (1, 3)


def test_what_cannot_be_kept_is_sent_back_and_the_next_one_is_taken() -> None:
    door = Door()

    async def play(reader: Reader, writer: Writer) -> None:
        door.full = True
        writer.write(b"\x0b" + oru(1) + b"\x1c\r")
        assert (await answers(reader, 1))[0].startswith("AE|1|")
        door.full = False
        writer.write(b"\x0b" + oru(1) + b"\x1c\r")
        assert await answers(reader, 1) == ["AA|1"]

    assert talk(door, play).kept == [oru(1)]


def test_an_endless_frame_is_cut_at_the_limit_answered_and_the_connection_closed() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0b" + oru(1))
        with pytest.raises(ConnectionError):
            while True:
                writer.write(b"x" * 100_000)
                await writer.drain()

    door = talk(Door(), play)
    assert door.kept == []
    assert "longer than 10000 bytes" in door.troubles[0]


def test_too_large_a_message_is_answered_with_an_error_before_the_connection_closes() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0b" + oru(1) + b"x" * 10_001)
        assert (await answers(reader, 1))[0].startswith("AE|1|")
        assert await reader.read() == b""

    assert talk(Door(), play).kept == []


def test_a_peer_that_leaves_in_the_middle_leaves_nothing_behind() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0b" + oru(1) + b"\x1c\r\x0b" + oru(2))
        assert await answers(reader, 1) == ["AA|1"]
        writer.close()
        await asyncio.sleep(0.1)

    door = talk(Door(), play)
    assert door.kept == [oru(1)]
    assert "in the middle of a message" in door.troubles[0]


def test_a_frame_begun_anew_counts_and_the_one_before_does_not() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0b" + oru(1) + b"\x0b" + oru(2) + b"\x1c\r")
        assert await answers(reader, 1) == ["AA|2"]

    assert talk(Door(), play).kept == [oru(2)]


def test_silent_and_stuck_connections_are_closed() -> None:
    async def silent(reader: Reader, writer: Writer) -> None:
        assert await reader.read() == b""

    async def stuck(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0bMSH|")
        assert await reader.read() == b""

    assert talk(Door(replace(QUICK, idle_seconds=0.1)), silent).troubles == []
    assert "did not go on" in talk(Door(replace(QUICK, frame_seconds=0.1)), stuck).troubles[0]


def test_garbage_is_borne_with_for_a_while_only() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"noise\r\n\x0b" + oru(1) + b"\x1c\rmore noise")
        assert await answers(reader, 1) == ["AA|1"]
        writer.write(b"GET / HTTP/1.1\r\n" * 10_000)
        assert await reader.read() == b""

    assert "outside frames" in talk(Door(replace(QUICK, garbage_bytes=1_000)), play).troubles[0]


def test_more_connections_than_allowed_are_refused() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        host, port = writer.get_extra_info("peername")
        second, _ = await asyncio.open_connection(host, port)
        with suppress(ConnectionError):
            assert await second.read() == b""
        writer.write(b"\x0b" + oru(1) + b"\x1c\r")
        assert await answers(reader, 1) == ["AA|1"]

    assert "1 connections are open" in talk(Door(replace(QUICK, connections=1)), play).troubles[0]


def test_many_unfinished_messages_do_not_fill_the_memory() -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        writer.write(b"\x0b" + oru(1) + b"x" * 200_000)
        assert await reader.read() == b""

    limits = replace(QUICK, frame_bytes=1_000_000, buffered_bytes=100_000)
    assert "waiting in memory" in talk(Door(limits), play).troubles[0]


@given(
    st.lists(st.binary(max_size=20).filter(lambda one: b"\x0b" not in one and b"\x1c" not in one), max_size=6),
    st.lists(st.integers(1, 9), max_size=60),
)
def test_frames_are_the_same_however_the_bytes_are_cut(contents: list[bytes], cuts: list[int]) -> None:
    data = b"".join(b"\x0b" + content + b"\x1c\r" for content in contents)
    frames, found, at = Frames(1_000), [], 0
    for cut in [*cuts, len(data)]:
        found += frames.feed(data[at : at + cut])
        at += cut
    assert found == contents
    assert (frames.pending, frames.garbage) == (0, 0)
