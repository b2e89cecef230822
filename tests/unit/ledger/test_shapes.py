from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.ledger import cbor
from xinglin.ledger.shapes import LONGEST, Shapes, shape_of

NUMBERS = st.sampled_from([0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**64 - 1, -1, -24, -25, -(2**64)])
PLAIN = (
    NUMBERS
    | st.none()
    | st.booleans()
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.binary(min_size=300, max_size=300)
)
MAPS = st.dictionaries(st.text(max_size=30), PLAIN, max_size=5)
VALUES = st.dictionaries(st.text(max_size=30), PLAIN | MAPS | st.lists(PLAIN, max_size=3), max_size=6)
MESSAGES = (VALUES | st.lists(PLAIN | MAPS, max_size=4) | PLAIN).map(cbor.encode)

FORMED = st.builds(
    lambda fields, body: cbor.encode({**fields, "body": body}), st.dictionaries(st.text(max_size=30), PLAIN), MAPS
).filter(lambda message: len(message) <= LONGEST)


def _strictly(data: Any) -> str:
    """What the strict decoder says, kinds included; equal numbers and truth values are not the same."""
    try:
        return repr(cbor.decode(data))
    except (ValueError, TypeError, KeyError) as error:
        return "refused" if isinstance(error, ValueError) else type(error).__name__


def _read(shapes: Shapes, data: Any) -> str:
    try:
        return repr(shapes.read(data))
    except (ValueError, TypeError, KeyError) as error:
        return "refused" if isinstance(error, ValueError) else type(error).__name__


@st.composite
def _relatives(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> list[bytes]:
    """A message and others that differ from it in a few bytes."""
    message = draw(messages)
    found = [message]
    for _ in range(draw(st.integers(1, 6))):
        changed = bytearray(message)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(message) - 1))
            changed[at] = draw(st.sampled_from([0, 1, 23, 24, 127, 128, 195, 255]) | st.integers(0, 255))
        found.append(bytes(changed))
    return found


@settings(deadline=None, max_examples=500)
@given(_relatives(MESSAGES | FORMED))
def test_whatever_was_read_before_a_message_is_read_as_the_strict_decoder_reads_it(messages: list[bytes]) -> None:
    shapes = Shapes(cbor.decode)
    assert [_read(shapes, one) for one in messages] == [_strictly(one) for one in messages]


@settings(deadline=None, max_examples=500)
@given(_relatives(FORMED))
def test_a_shape_reads_nothing_that_the_strict_decoder_refuses(messages: list[bytes]) -> None:
    shape = shape_of(cbor.decode(messages[0]), messages[0])
    assert shape
    assert repr(shape.read(messages[0])) == _strictly(messages[0])
    for other in messages[1:]:
        value = shape.read(other)
        assert value is None or repr(value) == _strictly(other)


def _refusing(_: bytes) -> Any:
    raise AssertionError("the strict decoder was asked")


def test_a_message_of_a_known_shape_is_not_walked_through() -> None:
    envelope: dict[str, Any] = {
        "v": 1,
        "seq": 300,
        "body": {"root": bytes(32), "n": None, "ok": True, "low": -7},
        "who": "north",
    }
    shapes = Shapes(cbor.decode)
    shapes.read(cbor.encode(envelope))
    shapes._strict = _refusing
    other = {**envelope, "seq": 65_535, "who": "sölü", "body": {**envelope["body"], "root": bytes([9] * 32)}}
    with pytest.raises(AssertionError, match="was asked"):
        shapes.read(cbor.encode(other))
    other["who"] = "söl!"
    assert shapes.read(cbor.encode(other)) == other


@pytest.mark.parametrize(
    "text",
    [
        "a2616e1900ff617861 61",  # a number that needs one byte in two
        "a2616e19012c6178 61ff",  # a text that is no UTF-8
        "a2617819012c616e 6161",  # keys out of order
        "a2616e19012c6178 4161",  # bytes instead of a text
    ],
)
def test_what_only_looks_like_a_known_shape_is_read_strictly(text: str) -> None:
    shapes = Shapes(cbor.decode)
    assert shapes.read(bytes.fromhex("a2616e19012c61786161")) == {"n": 300, "x": "a"}
    assert _read(shapes, bytes.fromhex(text)) == _strictly(bytes.fromhex(text))


@pytest.mark.parametrize("odd", [None, 7, "text", [0xA0], [0xA1, 0x61, 0x6E, 1], {}, bytearray(b"\xa1an\x02")])
def test_what_is_no_bytes_is_left_to_the_strict_decoder(odd: object) -> None:
    shapes = Shapes(cbor.decode)
    shapes.read(bytes.fromhex("a1616e01"))
    assert _read(shapes, odd) == _strictly(odd)


def test_what_is_remembered_stays_small() -> None:
    shapes = Shapes(cbor.decode)
    for number in range(100):
        shapes.read(cbor.encode({f"k{number:02}": number + 300}))
    shapes.read(cbor.encode({"long": bytes(LONGEST)}))
    assert sum(map(len, shapes._shapes.values())) == 4
    assert sys.getsizeof(shapes._shapes) < 1_000
