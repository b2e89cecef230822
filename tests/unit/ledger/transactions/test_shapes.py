from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.shapes import LONGEST, Shapes, shape_of

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
Fields = dict[str, Any]


def _sealed(fields: Fields, seal: bytes = b"seal") -> bytes:
    return cbor.encode([cbor.encode(fields), seal])


ENVELOPES = st.builds(_sealed, VALUES, st.binary(max_size=70))
FORMED = st.builds(
    lambda fields, body, seal: _sealed({**fields, "body": body}, seal),
    st.dictionaries(st.text(max_size=30), PLAIN),
    MAPS,
    st.binary(max_size=70),
).filter(lambda envelope: len(envelope) <= LONGEST)


def _strictly(envelope: bytes) -> tuple[Fields, bytes] | None:
    """What the strict decoder reads; None when it refuses."""
    try:
        message, seal = cbor.decode(envelope)
        fields = cbor.decode(message)
        return (fields, seal) if type(fields) is dict and type(message) is type(seal) is bytes else None
    except (ValueError, TypeError):
        return None


def _values(read: tuple[Fields, bytes] | None) -> str:
    """Values in their order, kinds included; equal numbers and truth values are not the same."""
    return "refused" if read is None else repr([*read[0].values(), read[1]])


def _read(shapes: Shapes, envelope: bytes) -> str:
    values = shapes.read(envelope)
    if values is not None:
        return repr(values)
    read = _strictly(envelope)
    if read is not None:
        shapes.learn(shape_of(*read, envelope))
    return _values(read)


@st.composite
def _relatives(draw: st.DrawFn, envelopes: st.SearchStrategy[bytes]) -> list[bytes]:
    """An envelope and others that differ from it in a few bytes."""
    envelope = draw(envelopes)
    found = [envelope]
    for _ in range(draw(st.integers(1, 6))):
        changed = bytearray(envelope)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(envelope) - 1))
            changed[at] = draw(st.sampled_from([0, 1, 23, 24, 127, 128, 195, 255]) | st.integers(0, 255))
        found.append(bytes(changed))
    return found


@settings(deadline=None, max_examples=500)
@given(_relatives(ENVELOPES | FORMED))
def test_whatever_was_read_before_an_envelope_is_read_as_the_strict_decoder_reads_it(envelopes: list[bytes]) -> None:
    shapes = Shapes()
    assert [_read(shapes, one) for one in envelopes] == [_values(_strictly(one)) for one in envelopes]


@settings(deadline=None, max_examples=500)
@given(_relatives(FORMED))
def test_a_shape_reads_nothing_that_the_strict_decoder_refuses(envelopes: list[bytes]) -> None:
    read = _strictly(envelopes[0])
    assert read
    shape = shape_of(*read, envelopes[0])
    assert shape
    assert repr(shape.read(envelopes[0])) == _values(read)
    for other in envelopes[1:]:
        values = shape.read(other) if len(other) == len(envelopes[0]) else None
        assert values is None or repr(values) == _values(_strictly(other))


def _learned(fields: Fields) -> Shapes:
    shapes = Shapes()
    shapes.learn(shape_of(cbor.decode(cbor.encode(fields)), b"seal", _sealed(fields)))
    return shapes


def test_an_envelope_of_a_known_shape_is_not_walked_through() -> None:
    fields = {"v": 1, "seq": 300, "body": {"root": bytes(32), "n": None, "ok": True, "low": -7}, "who": "north"}
    shapes = _learned(fields)
    other = {**fields, "seq": 65_535, "who": "sölü", "body": {**fields["body"], "root": bytes([9] * 32)}}
    assert shapes.read(_sealed(other)) is None, "a longer one"
    other["who"] = "söl!"
    assert shapes.read(_sealed(other, b"deal")) == [*cbor.decode(cbor.encode(other)).values(), b"deal"]


@pytest.mark.parametrize(
    "text",
    [
        "a2616e1900ff617861 61",  # a number that needs one byte in two
        "a2616e19012c6178 61ff",  # a text that is no UTF-8
        "a2617819012c616e 6161",  # keys out of order
        "a2616e19012c6178 4161",  # bytes instead of a text
    ],
)
def test_what_only_looks_like_a_known_shape_is_left_to_the_strict_decoder(text: str) -> None:
    shapes = _learned({"n": 300, "x": "a"})
    assert shapes.read(_sealed({"n": 301, "x": "b"})) == [301, "b", b"seal"]
    assert shapes.read(cbor.encode([bytes.fromhex(text), b"seal"])) is None


def test_what_is_remembered_stays_small() -> None:
    shapes = Shapes()
    for number in range(100):
        _read(shapes, _sealed({f"k{number:02}": number + 300}))
    _read(shapes, _sealed({"long": bytes(LONGEST)}))
    assert sum(map(len, shapes._shapes.values())) == 4
    assert sys.getsizeof(shapes._shapes) < 1_000
