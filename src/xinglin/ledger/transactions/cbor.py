"""Canonical CBOR (RFC 8949, 4.2.1), the small part of it that a transaction may use.

Integers of at most 64 bits, byte strings, texts, arrays, maps with text keys, true, false and null. One value has
one encoding, and bytes that are not that encoding are refused: nobody can say the same thing in two ways. Floats and
tags are refused, so no two machines can read a number differently. Decoding is written out here, rather than
decoding with a library and encoding again, because it must not change with the library and must not start work that
a tag asks for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

__all__ = ["decode", "encode"]

_DEPTH = 16
_NESTED = {dict, list, tuple}
_SIMPLE = {20: False, 21: True, 22: None}
# Additional information -> (bytes that follow, smallest number that needs them).
_WIDTHS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}


def encode(value: Any) -> bytes:
    """The one encoding of a value.

    Example:
        >>> encode({"b": 1, "a": None}).hex()
        'a26161f6616201'
    """
    from cbor2 import dumps

    return dumps(_ordered(value))


def _ordered(value: Any) -> Any:
    """The same with every map in the order of its encoded keys: of texts, the shorter ones first.

    What the encoder writes of a value allowed here is canonical then, in a third of the time.
    """
    if type(value) is dict:
        items = ((key, value[key]) for key in _order(tuple(value)))
        return {key: _ordered(one) if type(one) in _NESTED else one for key, one in items}
    return [*map(_ordered, value)] if type(value) in _NESTED else value


@lru_cache(256)
def _order(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(keys, key=lambda key: (len(text := key.encode()), text)))


def decode(data: bytes) -> Any:
    """Read one value from its canonical encoding.

    Raises:
        ValueError: These bytes are no canonical encoding of a value allowed here.

    Example:
        >>> decode(bytes.fromhex("a26161f6616201"))
        {'a': None, 'b': 1}
    """
    try:
        value, end = _item(data, 0, _DEPTH)
    except IndexError as error:
        raise ValueError("the CBOR ends too early") from error
    if end != len(data):
        raise ValueError("bytes follow the CBOR")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    first = data[at]
    at += 1
    if first < 24:
        return first, at
    kind, number = first >> 5, first & 31
    if kind == 7:
        if number not in _SIMPLE:
            raise ValueError("a float or another value that is not allowed")
        return _SIMPLE[number], at
    if number >= 24:
        number, at = _long(data, at, number)
    if kind == 0:
        return number, at
    if kind == 1:
        return -1 - number, at
    if kind <= 3:
        end = at + number
        if end > len(data):
            raise ValueError("a string is cut short")
        return (data[at:end] if kind == 2 else str(data[at:end], "utf-8")), end
    if kind == 6 or not depth:
        raise ValueError("a tag, or nested too deeply")
    return _array(data, at, depth, number) if kind == 4 else _map(data, at, depth, number)


def _long(data: bytes, at: int, information: int) -> tuple[int, int]:
    if information not in _WIDTHS:
        raise ValueError("an indefinite or reserved length")
    width, smallest = _WIDTHS[information]
    end = at + width
    number = int.from_bytes(data[at:end])
    if end > len(data) or number < smallest:
        raise ValueError("a number is cut short or not as short as it could be")
    return number, end


def _array(data: bytes, at: int, depth: int, length: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    for _ in range(length):
        item, at = _item(data, at, depth - 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, depth: int, length: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    before = b""
    for _ in range(length):
        # Written out for short texts, which nearly every key is.
        first = data[at]
        if 0x60 <= first < 0x78:
            end = at + first - 0x5F
            key = str(data[at + 1 : end], "utf-8")
        else:
            key, end = _item(data, at, depth - 1)
        encoded = data[at:end]
        if type(key) is not str or encoded <= before:
            raise ValueError("a map's keys are not texts in ascending order")
        before = encoded
        found[key], at = _item(data, end, depth - 1)
    return found, at
