"""Audit paths in proof files: each hash with its side.

A path contains neither leaf index nor tree size, so every change of it changes the root. If the size is known, the
index follows from the sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import siblings

__all__ = ["audit_path_root", "leaf_index", "with_sides"]

_STEP = 33


def with_sides(index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The audit path of leaf `index` of `size`: a byte for the side (0 left, 1 right) before each hash of 32.

    Example:
        >>> path = with_sides(4, 7, [bytes(32)] * 3)
        >>> [path[0], path[33], path[66]]
        [1, 1, 0]
    """
    spans = siblings(index, size)
    return b"".join(bytes([first > index]) + value for (first, _), value in zip(spans, path, strict=True))


def audit_path_root(leaf: bytes, path: bytes, what: str) -> bytes:
    """The root computed from a leaf hash and its audit path.

    Raises:
        VerificationFailed: The path is malformed; the error names it by `what`.
    """
    if len(path) % _STEP or len(path) > 64 * _STEP or any(side > 1 for side in path[::_STEP]):
        raise VerificationFailed(f"{what} is not an audit path", source="proof")
    value = leaf
    for start in range(0, len(path), _STEP):
        other = path[start + 1 : start + _STEP]
        pair = value + other if path[start] else other + value
        value = hashlib.sha256(b"\x01" + pair).digest()
    return value


def leaf_index(path: bytes, size: int, what: str) -> int:
    """The index, from 0, of the leaf with this path in a tree of `size` leaves.

    Raises:
        VerificationFailed: A tree of that size has no leaf with this path.

    Example:
        >>> leaf_index(with_sides(4, 7, [bytes(32)] * 3), 7, "the path")
        4
    """
    first, end = 0, size
    for side in reversed(path[::_STEP]):
        if end - first < 2:
            break
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        first, end = (first, middle) if side else (middle, end)
    else:
        if end - first == 1:
            return first
    raise VerificationFailed(f"{what} does not fit {size} leaves", source="proof")
