from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.ledger.consortium.interface import MAX_MESSAGE, check_tx_of, frame, split_messages
from xinglin.ledger.proofs.protobuf import message, varint


@given(st.lists(st.binary(max_size=400)), st.integers(1, 50))
def test_messages_come_out_as_they_went_in_however_they_arrive(messages: list[bytes], piece: int) -> None:
    sent, arrived, out = b"".join(map(frame, messages)), bytearray(), []
    for start in range(0, len(sent), piece):
        arrived += sent[start : start + piece]
        out += split_messages(arrived)
    assert (out, bytes(arrived)) == (messages, b"")


def test_what_nobody_asked_for_stays() -> None:
    arrived = bytearray(frame(b"one") + frame(b"two"))
    messages = split_messages(arrived)
    assert next(messages) == b"one"
    messages.close()
    assert list(split_messages(arrived)) == [b"two"]


def test_a_length_that_no_message_has_is_refused() -> None:
    one_too_many = bytearray(b"\x81\x80\x80\x32")
    assert MAX_MESSAGE == 0x32 << 21
    for sent in (bytearray(b"\xff" * 6), one_too_many):
        with pytest.raises(ValueError, match="message"):
            list(split_messages(sent))


def _check(transaction: bytes, again: bool) -> bytes:
    return message(8, message(1, transaction) + (b"\x10\x01" if again else b""))


@given(st.one_of(*(st.integers(size - 4, size + 4) for size in (8, 128, 16_384))), st.booleans())
def test_a_request_to_check_a_transaction_is_read_whatever_its_length(size: int, again: bool) -> None:
    transaction = bytes(range(1, 256)) * 70
    assert check_tx_of(_check(transaction[:size], again)) == transaction[:size]


@pytest.mark.parametrize(
    "other",
    [
        b"",
        message(2, b""),  # flush
        message(8, b""),  # no transaction
        message(8, b"\x10\x01"),
        message(8, message(1, b"one") + message(1, b"two")),
        message(8, message(1, b"one") + b"\x10\x02"),  # a kind of check that there is not
        message(8, message(1, b"one")) + message(8, message(1, b"two")),
        b"\x42\x85\x00\x0a\x03one",  # a length that could be shorter
        b"\x42" + varint(2**40) + b"\x0a\x03one",
        message(8, message(1, b"one"))[:-1],
    ],
)
def test_any_other_request_is_left_to_protocol_buffers(other: bytes) -> None:
    assert check_tx_of(other) is None
