"""Canonical CBOR (RFC 8949, 4.2.1), restricted to the types that transactions use.

Integers of at most 64 bits, byte strings, texts, arrays, maps with text keys, true, false and null. Each value has one
encoding; other encodings are refused. Floats and tags are refused, so that all machines read the same values. The
decoder is implemented here, instead of decoding with a library and encoding again, because its behaviour must not
change with the library and it must not process tags.
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
    """The canonical encoding of a value.

    Example:
        >>> encode({"b": 1, "a": None}).hex()
        'a26161f6616201'
    """
    from cbor2 import dumps

    return dumps(_ordered(value))


def _ordered(value: Any) -> Any:
    """The value with all maps ordered by encoded key: shorter texts first.

    The plain encoder then writes the canonical form, in a third of the time of its canonical mode.
    """
    if type(value) is dict:
        items = ((key, value[key]) for key in _order(tuple(value)))
        return {key: _ordered(one) if type(one) in _NESTED else one for key, one in items}
    return [*map(_ordered, value)] if type(value) in _NESTED else value


@lru_cache(256)
def _order(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(keys, key=lambda key: (len(text := key.encode()), text)))


def decode(data: bytes) -> Any:
    """Decode one value.

    Raises:
        ValueError: The bytes are not the canonical encoding of a permitted value.

    Example:
        >>> decode(bytes.fromhex("a26161f6616201"))
        {'a': None, 'b': 1}
    """
    try:
        value, end = _item(data, 0, _DEPTH)
    except IndexError as error:
        raise ValueError("the CBOR is truncated") from error
    if end != len(data):
        raise ValueError("there are bytes after the CBOR")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    first = data[at]
    at += 1
    if first < 24:
        return first, at
    kind, number = first >> 5, first & 31
    if kind == 7:
        if number not in _SIMPLE:
            raise ValueError("a float or another value that is not permitted")
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
            raise ValueError("a string is truncated")
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
        raise ValueError("a number is truncated or not in its shortest form")
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
        # Inlined for short texts: almost all keys are short.
        first = data[at]
        if 0x60 <= first < 0x78:
            end = at + first - 0x5F
            key = str(data[at + 1 : end], "utf-8")
        else:
            key, end = _item(data, at, depth - 1)
        encoded = data[at:end]
        if type(key) is not str or encoded <= before:
            raise ValueError("the keys of a map are not texts in ascending order")
        before = encoded
        found[key], at = _item(data, end, depth - 1)
    return found, at
