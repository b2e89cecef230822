from __future__ import annotations

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.ledger.transactions import cbor

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=30) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=30), inner, max_size=5),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_encoded_is_decoded_to_the_same(value: object) -> None:
    assert cbor.decode(cbor.encode(value)) == value


def _plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    return value is None or type(value) in {bool, int, str, bytes}


@settings(deadline=None)
@given(st.binary(max_size=40) | VALUES.map(cbor.encode).flatmap(lambda text: _damaged(text)))
def test_bytes_are_read_exactly_when_they_are_the_one_encoding_of_a_plain_value(text: bytes) -> None:
    try:
        mine = cbor.decode(text)
    except ValueError:
        try:
            theirs = cbor2.loads(text, allow_indefinite=False)
        except Exception:
            return
        assert not _plain(theirs) or cbor.encode(theirs) != text or b"\xc2" in text or b"\xc3" in text
    else:
        assert cbor2.loads(text) == mine
        assert cbor.encode(mine) == text


def _damaged(text: bytes) -> st.SearchStrategy[bytes]:
    places = st.tuples(st.integers(0, len(text) - 1), st.integers(0, 255))
    return places.map(lambda at: text[: at[0]] + bytes([at[1]]) + text[at[0] + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "1801",  # 1 in two bytes
        "f93c00",  # a float
        "c11a514b67b0",  # a date, which is a tag
        "9f01ff",  # an indefinite length
        "a2616201616102",  # keys out of order
        "a2616101616102",  # a key twice
        "a10102",  # a key that is no text
        "0101",  # something behind
        "f7",  # undefined
        "62c328",  # no UTF-8
        "",
        "81" * 40 + "00",  # nested too deeply
        "5b7fffffffffffffff00",  # longer than it is
    ],
)
def test_anything_but_the_canonical_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        cbor.decode(bytes.fromhex(text))


@settings(deadline=None)
@given(VALUES)
def test_what_is_encoded_is_what_another_encoder_calls_canonical(value: object) -> None:
    assert cbor.encode(value) == cbor2.dumps(value, canonical=True)
