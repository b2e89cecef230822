"""RFC 6962 Merkle trees: root, audit path and its verification (section 2.1).

A span of leaves is reduced to the few perfect subtrees that cover it, so parts of a batch can be hashed separately
and combined without holding all leaves in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["EMPTY_ROOT", "Subtree", "Tree", "audit_path", "cover", "leaf_hash", "root_from_path", "root_of", "siblings"]

EMPTY_ROOT = hashlib.sha256(b"").digest()


class Subtree(NamedTuple):
    """A perfect subtree: 2 ** `level` leaves from leaf `number` * 2 ** `level` on."""

    level: int
    number: int
    hash: bytes


def leaf_hash(text: bytes) -> bytes:
    """SHA-256 over a zero byte and the entry.

    Example:
        >>> leaf_hash(b"").hex()
        '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    return hashlib.sha256(b"\x00" + text).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def cover(leaves: list[bytes], start: int) -> list[Subtree]:
    """The perfect subtrees, from left to right, that cover the leaves `start`, `start` + 1, ...

    Example:
        >>> [(tree.level, tree.number) for tree in cover([bytes(32)] * 5, 3)]
        [(0, 3), (2, 1)]
    """
    left: list[Subtree] = []
    right: list[Subtree] = []
    level, index, nodes = 0, start, leaves
    sha = hashlib.sha256
    while nodes:
        if index & 1:
            left.append(Subtree(level, index, nodes[0]))
            nodes, index = nodes[1:], index + 1
        if len(nodes) & 1:
            right.append(Subtree(level, index + len(nodes) - 1, nodes[-1]))
            nodes = nodes[:-1]
        pairs = iter(nodes)
        nodes = [sha(b"\x01" + one + other).digest() for one, other in zip(pairs, pairs, strict=True)]
        level, index = level + 1, index >> 1
    return left + right[::-1]


class Tree:
    """An append-only tree that stores only its perfect subtrees.

    Example:
        >>> tree = Tree()
        >>> tree.extend(cover([leaf_hash(b""), leaf_hash(b"\\x00")], tree.size))
        >>> tree.root().hex()
        'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[Subtree] = []

    def extend(self, subtrees: Iterable[Subtree]) -> None:
        """Append subtrees that begin where the tree ends."""
        for subtree in subtrees:
            level, index, value = subtree
            if index << level != self.size:
                raise ValueError(f"a subtree begins at leaf {index << level}, expected {self.size}")
            self.size += 1 << level
            while self._peaks and self._peaks[-1].level == level:
                value = _node(self._peaks.pop().hash, value)
                level, index = level + 1, index >> 1
            self._peaks.append(Subtree(level, index, value))

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        value = self._peaks[-1].hash
        for peak in reversed(self._peaks[:-1]):
            value = _node(peak.hash, value)
        return value


def root_of(leaves: list[bytes]) -> bytes:
    """The root over leaf hashes that fit in memory."""
    tree = Tree()
    tree.extend(cover(leaves, 0))
    return tree.root()


def siblings(leaf: int, size: int) -> list[tuple[int, int]]:
    """The spans (first leaf, end) whose roots are the audit path of a leaf, from the leaf upwards.

    Example:
        >>> siblings(4, 7)
        [(5, 6), (6, 7), (0, 4)]
    """
    first, end, path = 0, size, []
    while end - first > 1:
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if leaf < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def audit_path(leaves: list[bytes], leaf: int) -> list[bytes]:
    """The audit path of one leaf (RFC 6962, 2.1.1)."""
    return [root_of(leaves[first:end]) for first, end in siblings(leaf, len(leaves))]


def root_from_path(leaf: int, size: int, value: bytes, path: list[bytes]) -> bytes:
    """The root that a leaf hash and its audit path lead to.

    Raises:
        ValueError: The path does not have the length that the tree's size asks for.
    """
    spans = siblings(leaf, size)
    if len(spans) != len(path):
        raise ValueError(f"the audit path has {len(path)} hashes, expected {len(spans)}")
    for (first, _), sibling in zip(spans, path, strict=True):
        value = _node(value, sibling) if first > leaf else _node(sibling, value)
    return value
