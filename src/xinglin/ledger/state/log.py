"""The log of transactions: an RFC 6962 tree whose perfect subtrees are kept, so any size can be proved from few reads.

A perfect subtree of 2 ** level leaves never changes once it is full. The tree of any size is made of the perfect
subtrees that its binary digits name, so its root, an inclusion proof and a consistency proof each need O(log n) of
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from xinglin.core.merkle import EMPTY_ROOT, siblings
from xinglin.ledger.state.consistency import consistency_spans

__all__ = ["Subtrees", "append", "audit_path", "consistency_path", "root"]

Subtrees = Callable[[int, int], bytes]
"""The root of a perfect subtree by its level and its number from the left."""


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(size: int, leaves: Iterable[bytes], read: Subtrees) -> dict[tuple[int, int], bytes]:
    """Every perfect subtree that new leaf hashes complete, to be kept.

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
    """The root over leaves `first` to `end`, a subtree as RFC 6962 cuts a tree."""
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
    """That the tree of `first` leaves is the beginning of that of `second` (RFC 6962, 2.1.2).

    Empty when the sizes are equal or the first is 0: there is nothing to show.
    """
    return tuple(_span(*span, read) for span in consistency_spans(first, second))
