"""Stretches of whole lines, however the bytes come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xinglin.sources.limits import Limits
from xinglin.sources.unpack import stretches


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"d\n", b"\n\ne", b"ff\ng"]), max_size=30), st.integers(1, 9))
def test_stretches_are_all_bytes_in_whole_lines_each_with_its_place(blocks: list[bytes], chunk: int) -> None:
    found = list(stretches(iter(blocks), Limits(chunk_bytes=chunk, resource_bytes=10**6)))
    data = b"".join(blocks)
    assert b"".join(one.data for one in found) == data
    assert all(one.data.endswith(b"\n") for one in found[:-1])
    offset, line = 0, 1
    for one in found:
        assert (one.offset, one.first, one.rejected) == (offset, line, None)
        offset, line = offset + len(one.data), line + one.data.count(b"\n")


def test_a_line_that_is_too_long_is_counted_and_the_next_one_is_read() -> None:
    blocks = [b"a\nbb", b"bbbb", b"bbbb", b"b\nc\n", b"d\n"]
    found = list(stretches(iter(blocks), Limits(chunk_bytes=2, resource_bytes=5)))
    assert [(one.data, one.offset, one.first, one.size, bool(one.rejected)) for one in found] == [
        (b"a\n", 0, 1, -1, False),
        (b"bbbbbb", 2, 2, 11, True),
        (b"c\nd\n", 14, 3, -1, False),
    ]
