"""The little of protobuf that block headers, validator sets and votes need (proto3 encoding).

Fields are written in the order of their numbers, and a field with its default value is not written: the canonical
form that CometBFT hashes and signs.
"""

from __future__ import annotations

import struct

__all__ = ["fixed64", "length_delimited", "message", "timestamp", "varint", "whole"]


def varint(number: int) -> bytes:
    """Base 128; a negative number as its two's complement of 64 bits.

    Example:
        >>> varint(300).hex(), len(varint(-1))
        ('ac02', 10)
    """
    rest = number & 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def whole(field: int, number: int) -> bytes:
    """A field of type int64, uint64 or enum."""
    return varint(field << 3) + varint(number) if number else b""


def fixed64(field: int, number: int) -> bytes:
    """A field of type sfixed64."""
    return varint(field << 3 | 1) + struct.pack("<q", number) if number else b""


def message(field: int, content: bytes) -> bytes:
    """A field that holds a message; it is written even when the message is empty."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def length_delimited(field: int, content: bytes) -> bytes:
    """A field of type bytes or string."""
    return message(field, content) if content else b""


def timestamp(seconds: int, nanos: int) -> bytes:
    """The content of google.protobuf.Timestamp."""
    return whole(1, seconds) + whole(2, nanos)
