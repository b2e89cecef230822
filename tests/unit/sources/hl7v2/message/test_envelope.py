"""Files of several messages: batches, stretches, sizes."""

from __future__ import annotations

import random

import pytest

from xinglin.sources import Limits, Rejected
from xinglin.sources.hl7v2.message.envelope import messages, recognised, stretches

BATCH = b"\xef\xbb\xbfFHS|^~\\&|A\rBHS|^~\\&|B\rMSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rPID|2\rBTS|2\rFTS|1\r"


def test_batch_envelopes_are_no_records() -> None:
    assert list(messages(BATCH, 1)) == [(1, b"MSH|^~\\&|1\rPID|1"), (2, b"MSH|^~\\&|2\rPID|2")]


@pytest.mark.parametrize("size", [1, 7, 40, 1_000])
def test_stretches_hold_whole_messages_however_the_blocks_fall(size: int) -> None:
    data = b"".join(b"MSH|^~\\&|%d\rNTE|1||MSH in a text\r\n" % number for number in range(40))
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    found = list(stretches(iter(blocks), Limits(chunk_bytes=100)))
    assert b"".join(one.data for one in found) == data
    assert all(data[one.offset :].startswith(one.data) for one in found)
    numbers = [number for one in found for number, _ in messages(one.data, one.first)]
    assert numbers == list(range(1, 41))


def test_a_message_that_is_too_large_is_counted_and_the_next_one_is_read() -> None:
    large = b"MSH|^~\\&|1\r" + b"OBX|" + b"x" * 5_000 + b"\r"
    data = b"MSH|^~\\&|0\r" + large + b"MSH|^~\\&|2\r"
    blocks = [data[at : at + 100] for at in range(0, len(data), 100)]
    found = list(stretches(iter(blocks), Limits(chunk_bytes=50, resource_bytes=1_000)))
    assert [(one.first, one.rejected.reason if one.rejected else one.data) for one in found] == [
        (1, b"MSH|^~\\&|0\r"),
        (2, "too-large"),
        (3, b"MSH|^~\\&|2\r"),
    ]
    assert found[1].size == len(large)


def test_a_file_that_breaks_off_gives_its_whole_messages_and_one_record() -> None:
    def blocks() -> object:
        yield b"MSH|^~\\&|1\rPID|\rMSH|^~\\&|2\rPI"
        raise Rejected("truncated-gzip", "expected more gzip data")

    found = list(stretches(blocks(), Limits()))  # type: ignore[arg-type]
    assert [(one.first, bool(one.rejected)) for one in found] == [(1, False), (2, True)]


def test_what_is_no_message_is_recognised() -> None:
    assert recognised(BATCH)
    assert not any(recognised(one) for one in (b"MSHA", b"name,value\n", b"{}", b"", b"BHS,1"))


def test_a_file_without_any_message_is_one_record() -> None:
    ((number, found),) = messages(b"nothing here\r", 1)
    assert (number, found.reason) == (0, "no-msh")  # type: ignore[union-attr]


def test_time_grows_with_the_size_only() -> None:
    import time

    def seconds(size: int) -> float:
        data = random.Random(1).randbytes(size).replace(b"\r", b"M") + b"MSH" * (size // 4)
        begin = time.process_time()
        list(
            stretches(
                iter([data[at : at + 65_536] for at in range(0, len(data), 65_536)]), Limits(resource_bytes=10**9)
            )
        )
        return time.process_time() - begin

    small = max(seconds(500_000), 0.002)
    assert seconds(4_000_000) < small * 40
