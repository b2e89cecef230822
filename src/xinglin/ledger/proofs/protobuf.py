"""Protobuf encoding (proto3) for block headers, validator sets and votes.

Fields are in the order of their numbers, and fields with default values are omitted: the canonical form that CometBFT
hashes and signs.
"""

from __future__ import annotations

import struct

__all__ = ["fixed64", "length_delimited", "message", "timestamp", "varint", "whole"]


def varint(number: int) -> bytes:
    """A base-128 varint; negative numbers as 64-bit two's complement.

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
    """A field of a message type; written even if the message is empty."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def length_delimited(field: int, content: bytes) -> bytes:
    """A field of type bytes or string."""
    return message(field, content) if content else b""


def timestamp(seconds: int, nanos: int) -> bytes:
    """The content of google.protobuf.Timestamp."""
    return whole(1, seconds) + whole(2, nanos)
