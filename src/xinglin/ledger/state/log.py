"""The transaction log: an RFC 6962 tree with stored perfect subtrees, so that proofs of any size need few reads.

A perfect subtree of 2 ** level leaves never changes once it is complete. A tree of any size consists of the perfect
subtrees of its binary digits, so root, inclusion proof and consistency proof each read O(log n) of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from xinglin.core.merkle import EMPTY_ROOT, siblings
from xinglin.ledger.state.consistency import consistency_spans

__all__ = ["Subtrees", "append", "audit_path", "consistency_path", "root"]

Subtrees = Callable[[int, int], bytes]
"""Reads the root of a perfect subtree by level and number from the left."""


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(size: int, leaves: Iterable[bytes], read: Subtrees) -> dict[tuple[int, int], bytes]:
    """The perfect subtrees that new leaf hashes complete, to be stored.

    Example:
        >>> sorted(append(0, [bytes(32)] * 3, {}.__getitem__))
        [(0, 0), (0, 1), (0, 2), (1, 0)]
    """
    new: dict[tuple[int, int], bytes] = {}
    for number, value in enumerate(leaves, size):
        level = 0
        new[level, number] = value
        while number & 1:
            left = new.get((level, number - 1)) or read(level, number - 1)
            value = _node(left, value)
            level, number = level + 1, number >> 1
            new[level, number] = value
    return new


def _span(first: int, end: int, read: Subtrees) -> bytes:
    """The root over leaves `first` to `end`, a subtree of RFC 6962."""
    length = end - first
    if length & (length - 1) == 0:
        level = length.bit_length() - 1
        return read(level, first >> level)
    middle = first + (1 << (length - 1).bit_length() - 1)
    return _node(_span(first, middle, read), _span(middle, end, read))


def root(size: int, read: Subtrees) -> bytes:
    """The Merkle tree hash of the first `size` leaves (RFC 6962, 2.1)."""
    return _span(0, size, read) if size else EMPTY_ROOT


def audit_path(index: int, size: int, read: Subtrees) -> tuple[bytes, ...]:
    """The audit path of a leaf in the tree of `size` leaves (RFC 6962, 2.1.1), from the leaf upwards."""
    return tuple(_span(first, end, read) for first, end in siblings(index, size))


def consistency_path(first: int, second: int, read: Subtrees) -> tuple[bytes, ...]:
    """Consistency proof: the tree of `first` leaves is a prefix of that of `second` (RFC 6962, 2.1.2).

    Empty if the sizes are equal or `first` is 0.
    """
    return tuple(_span(*span, read) for span in consistency_spans(first, second))
