"""An authenticated map: one root commits to every key and value, and to the absence of every other key.

A binary trie over SHA-256(key), the first bit of the hash at the root:

    leaf   H(0x00 || key hash || value hash)      a subtree that holds one leaf is that leaf, at whatever depth
    node   H(0x01 || left || right)
    empty  32 zero bytes

The root depends on the keys and values alone, never on the order or grouping in which they came. A node is kept
under its hash as the bytes that were hashed (a leaf's value behind them) and is never changed, so that older roots
stay provable.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.port import MapProof

__all__ = ["EMPTY", "Nodes", "check_proof", "prove", "root_of_proof", "update"]

EMPTY = bytes(32)

Nodes = Callable[[bytes], bytes]
"""A node's kept bytes by its hash."""

_LEAF, _INNER = b"\x00", b"\x01"
_HASHED = 65
_sha = hashlib.sha256


def update(root: bytes, changes: Iterable[tuple[bytes, bytes]], read: Nodes) -> tuple[bytes, dict[bytes, bytes]]:
    """Set values.

    Args:
        root: The map as it is.
        changes: Keys, each once, and their new values.
        read: The kept nodes.

    Returns:
        The new root, and the nodes to keep by their hash.

    Example:
        >>> root, kept = update(EMPTY, [(b"a", b"1"), (b"b", b"2")], {}.__getitem__)
        >>> again, more = update(root, [(b"a", b"1")], kept.__getitem__)
        >>> again == root
        True
    """
    leaves = []
    kept: dict[bytes, bytes] = {}
    for key, value in changes:
        hashed = _LEAF + _sha(key).digest() + _sha(value).digest()
        leaf = _sha(hashed).digest()
        kept[leaf] = hashed + value
        leaves.append((hashed[1:33], leaf))
    leaves.sort()
    return _merge(root, leaves, 0, read, kept), kept


def _merge(root: bytes, leaves: list[tuple[bytes, bytes]], depth: int, read: Nodes, kept: dict[bytes, bytes]) -> bytes:
    if root == EMPTY:
        return _build(leaves, depth, kept)
    body = read(root)
    if body[0] == 0:
        place = body[1:33]
        at = bisect_left(leaves, (place,))
        if at == len(leaves) or leaves[at][0] != place:
            leaves = [*leaves[:at], (place, root), *leaves[at:]]
        return _build(leaves, depth, kept)
    left, right = body[1:33], body[33:65]
    split = _split(leaves, depth)
    if split:
        left = _merge(left, leaves[:split], depth + 1, read, kept)
    if split < len(leaves):
        right = _merge(right, leaves[split:], depth + 1, read, kept)
    return _inner(left, right, kept)


def _build(leaves: list[tuple[bytes, bytes]], depth: int, kept: dict[bytes, bytes]) -> bytes:
    if len(leaves) <= 1:
        return leaves[0][1] if leaves else EMPTY
    split = _split(leaves, depth)
    return _inner(_build(leaves[:split], depth + 1, kept), _build(leaves[split:], depth + 1, kept), kept)


def _inner(left: bytes, right: bytes, kept: dict[bytes, bytes]) -> bytes:
    body = _INNER + left + right
    node = _sha(body).digest()
    kept[node] = body
    return node


def _bit(place: bytes, depth: int) -> int:
    return place[depth >> 3] >> (7 - (depth & 7)) & 1


def _split(leaves: list[tuple[bytes, bytes]], depth: int) -> int:
    """Where the leaves of the right side begin; all agree on the bits above."""
    byte, shift = depth >> 3, 7 - (depth & 7)
    low, high = 0, len(leaves)
    while low < high:
        middle = (low + high) >> 1
        if leaves[middle][0][byte] >> shift & 1:
            high = middle
        else:
            low = middle + 1
    return low


def prove(root: bytes, key: bytes, read: Nodes, height: int = 0) -> MapProof:
    """That the key has its value, or none.

    Example:
        >>> root, kept = update(EMPTY, [(b"a", b"1"), (b"b", b"2")], {}.__getitem__)
        >>> proof = prove(root, b"a", kept.__getitem__)
        >>> check_proof(proof); proof.value
        b'1'
    """
    place = _sha(key).digest()
    path: list[bytes] = []
    node = root
    while node != EMPTY:
        body = read(node)
        if body[0] == 0:
            if body[1:33] == place:
                return MapProof(key, body[_HASHED:], tuple(path), None, root, height)
            return MapProof(key, None, tuple(path), (body[1:33], body[33:65]), root, height)
        left, right = body[1:33], body[33:65]
        node, sibling = (right, left) if _bit(place, len(path)) else (left, right)
        path.append(sibling)
    return MapProof(key, None, tuple(path), None, root, height)


def root_of_proof(proof: MapProof) -> bytes:
    """The root that a proof leads to; whoever knows the right one compares.

    Raises:
        VerificationFailed: The proof contradicts itself.
    """
    place = _sha(proof.key).digest()
    if len(proof.path) > 256 or any(len(sibling) != 32 for sibling in proof.path):
        raise VerificationFailed("a state proof's path is no path")
    if proof.value is not None:
        if proof.other is not None:
            raise VerificationFailed("a state proof shows a value and its absence")
        node = _sha(_LEAF + place + _sha(proof.value).digest()).digest()
    elif proof.other is not None:
        node = _other_leaf(place, *proof.other, depth=len(proof.path))
    else:
        node = EMPTY
    for depth in range(len(proof.path) - 1, -1, -1):
        sibling = proof.path[depth]
        pair = sibling + node if _bit(place, depth) else node + sibling
        node = _sha(_INNER + pair).digest()
    return node


def _other_leaf(place: bytes, other: bytes, value_hash: bytes, *, depth: int) -> bytes:
    if len(other) != 32 or len(value_hash) != 32 or other == place:
        raise VerificationFailed("a state proof's other leaf is none")
    if any(_bit(place, bit) != _bit(other, bit) for bit in range(depth)):
        raise VerificationFailed("a state proof's other leaf stands elsewhere")
    return _sha(_LEAF + other + value_hash).digest()


def check_proof(proof: MapProof) -> None:
    """Check a proof against the root it names.

    Raises:
        VerificationFailed: It does not lead there.
    """
    if root_of_proof(proof) != proof.root:
        raise VerificationFailed("a state proof does not lead to its root")
