from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.ledger.consortium.interface import MAX_MESSAGE, cut, frame


@given(st.lists(st.binary(max_size=400)), st.integers(1, 50))
def test_messages_come_out_as_they_went_in_however_they_arrive(messages: list[bytes], piece: int) -> None:
    sent, arrived, out = b"".join(map(frame, messages)), bytearray(), []
    for start in range(0, len(sent), piece):
        arrived += sent[start : start + piece]
        out += cut(arrived)
    assert (out, bytes(arrived)) == (messages, b"")


def test_what_nobody_asked_for_stays() -> None:
    arrived = bytearray(frame(b"one") + frame(b"two"))
    messages = cut(arrived)
    assert next(messages) == b"one"
    messages.close()
    assert list(cut(arrived)) == [b"two"]


def test_a_length_that_no_message_has_is_refused() -> None:
    one_too_many = bytearray(b"\x81\x80\x80\x32")
    assert MAX_MESSAGE == 0x32 << 21
    for sent in (bytearray(b"\xff" * 6), one_too_many):
        with pytest.raises(ValueError, match="message"):
            list(cut(sent))
