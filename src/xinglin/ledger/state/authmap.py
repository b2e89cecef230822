"""The authenticated map: one root commits to all keys and values, and to the absence of all other keys.

A binary trie over SHA-256(key), the first bit of the hash at the root:

    leaf   H(0x00 || key hash || value hash)      a subtree with one leaf is that leaf, at any depth
    node   H(0x01 || left || right)
    empty  32 zero bytes

The root depends only on keys and values, not on their order or grouping. Nodes are appended to a numbered list and
never changed, so that older roots stay provable until `pruning` deletes the nodes that only they need. A stored node
is the hashed bytes, followed by the numbers of its two children or by the value of a leaf. Nodes are stored by number
because an append-only table stays fast, and one ordered by hash does not.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.port import MapProof

__all__ = ["EMPTY", "Nodes", "Ref", "Updated", "check_proof", "prove", "root_of_proof", "update"]

Ref = tuple[bytes, int]
"""A node: hash and number."""

Nodes = Callable[[int], bytes]
"""Reads a stored node by its number, from 1."""

EMPTY: Ref = (bytes(32), 0)

_LEAF, _INNER = b"\x00", b"\x01"
_HASHED = 65
_sha = hashlib.sha256


_Leaf = tuple[bytes, Ref]


class _NewNodes:
    """Nodes to append, numbered after the stored ones."""

    def __init__(self, count: int) -> None:
        self.nodes: dict[int, bytes] = {}
        self.replaced: list[int] = []
        self._count = count

    def leaf(self, key: bytes, value: bytes) -> _Leaf:
        place = _sha(key).digest()
        hashed = _LEAF + place + _sha(value).digest()
        return place, self._add(_sha(hashed).digest(), hashed + value)

    def inner(self, left: Ref, right: Ref) -> Ref:
        hashed = _INNER + left[0] + right[0]
        return self._add(_sha(hashed).digest(), hashed + left[1].to_bytes(8) + right[1].to_bytes(8))

    def _add(self, node: bytes, body: bytes) -> Ref:
        self._count += 1
        self.nodes[self._count] = body
        return node, self._count


def _children(body: bytes) -> tuple[Ref, Ref]:
    return (body[1:33], int.from_bytes(body[65:73])), (body[33:65], int.from_bytes(body[73:81]))


@dataclass(frozen=True, slots=True)
class Updated:
    """An updated map.

    Attributes:
        root: The new root.
        nodes: Nodes to append, by number.
        replaced: Numbers of nodes that no longer belong to the map.
    """

    root: Ref
    nodes: dict[int, bytes]
    replaced: list[int]


def update(root: Ref, changes: Iterable[tuple[bytes, bytes]], read: Nodes, count: int) -> Updated:
    """Set values.

    Args:
        root: The current root.
        changes: Distinct keys and their new values.
        read: Reads stored nodes.
        count: The highest number in use.

    Example:
        >>> one = update(EMPTY, [(b"a", b"1"), (b"b", b"2")], {}.__getitem__, 0)
        >>> other = update(one.root, [(b"a", b"1")], one.nodes.__getitem__, len(one.nodes))
        >>> other.root[0] == one.root[0], len(other.replaced) == len(other.nodes)
        (True, True)
    """
    kept = _NewNodes(count)
    leaves = sorted(kept.leaf(key, value) for key, value in changes)
    return Updated(_merge(root, leaves, 0, read, kept), kept.nodes, kept.replaced)


def _merge(root: Ref, leaves: list[_Leaf], depth: int, read: Nodes, kept: _NewNodes) -> Ref:
    if not root[1]:
        return _build(leaves, depth, kept)
    body = read(root[1])
    if body[0] == 0:
        place = body[1:33]
        at = bisect_left(leaves, (place,))
        if at == len(leaves) or leaves[at][0] != place:
            leaves = [*leaves[:at], (place, root), *leaves[at:]]
        else:
            kept.replaced.append(root[1])
        return _build(leaves, depth, kept)
    kept.replaced.append(root[1])
    left, right = _children(body)
    split = _split(leaves, depth)
    if split:
        left = _merge(left, leaves[:split], depth + 1, read, kept)
    if split < len(leaves):
        right = _merge(right, leaves[split:], depth + 1, read, kept)
    return kept.inner(left, right)


def _build(leaves: list[_Leaf], depth: int, kept: _NewNodes) -> Ref:
    if len(leaves) <= 1:
        return leaves[0][1] if leaves else EMPTY
    split = _split(leaves, depth)
    return kept.inner(_build(leaves[:split], depth + 1, kept), _build(leaves[split:], depth + 1, kept))


def _bit(place: bytes, depth: int) -> int:
    return place[depth >> 3] >> (7 - (depth & 7)) & 1


def _split(leaves: list[_Leaf], depth: int) -> int:
    """Index of the first leaf of the right subtree; all leaves share the bits above."""
    byte, shift = depth >> 3, 7 - (depth & 7)
    low, high = 0, len(leaves)
    while low < high:
        middle = (low + high) >> 1
        if leaves[middle][0][byte] >> shift & 1:
            high = middle
        else:
            low = middle + 1
    return low


def prove(root: Ref, key: bytes, read: Nodes, height: int = 0) -> MapProof:
    """Prove the value of a key, or its absence.

    Example:
        >>> one = update(EMPTY, [(b"a", b"1"), (b"b", b"2")], {}.__getitem__, 0)
        >>> proof = prove(one.root, b"a", one.nodes.__getitem__)
        >>> check_proof(proof); proof.value
        b'1'
    """
    place = _sha(key).digest()
    path: list[bytes] = []
    node = root
    while node[1]:
        body = read(node[1])
        if body[0] == 0:
            if body[1:33] == place:
                return MapProof(key, body[_HASHED:], tuple(path), None, root[0], height)
            return MapProof(key, None, tuple(path), (body[1:33], body[33:65]), root[0], height)
        left, right = _children(body)
        node, sibling = (right, left) if _bit(place, len(path)) else (left, right)
        path.append(sibling[0])
    return MapProof(key, None, tuple(path), None, root[0], height)


def root_of_proof(proof: MapProof) -> bytes:
    """The root computed from a proof; the caller compares it with the expected one.

    Raises:
        VerificationFailed: The proof is malformed.
    """
    place = _sha(proof.key).digest()
    if len(proof.path) > 256 or any(len(sibling) != 32 for sibling in proof.path):
        raise VerificationFailed("the path of the state proof is malformed")
    if proof.value is not None:
        if proof.other is not None:
            raise VerificationFailed("the state proof shows both a value and its absence")
        node = _sha(_LEAF + place + _sha(proof.value).digest()).digest()
    elif proof.other is not None:
        node = _other_leaf(place, *proof.other, depth=len(proof.path))
    else:
        node = EMPTY[0]
    for depth in range(len(proof.path) - 1, -1, -1):
        sibling = proof.path[depth]
        pair = sibling + node if _bit(place, depth) else node + sibling
        node = _sha(_INNER + pair).digest()
    return node


def _other_leaf(place: bytes, other: bytes, value_hash: bytes, *, depth: int) -> bytes:
    if len(other) != 32 or len(value_hash) != 32 or other == place:
        raise VerificationFailed("the other leaf of the state proof is malformed")
    if any(_bit(place, bit) != _bit(other, bit) for bit in range(depth)):
        raise VerificationFailed("the other leaf of the state proof is not on the path of the key")
    return _sha(_LEAF + other + value_hash).digest()


def check_proof(proof: MapProof) -> None:
    """Verify a proof against its root.

    Raises:
        VerificationFailed: The proof is invalid.
    """
    if root_of_proof(proof) != proof.root:
        raise VerificationFailed("the state proof does not lead to its root")
