"""Consistency proofs: the older tree is a prefix of the newer one (RFC 6962, section 2.1.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import EMPTY_ROOT

__all__ = ["check_consistency", "consistency_spans"]


def consistency_spans(old: int, new: int) -> list[tuple[int, int]]:
    """The spans (first leaf, end) of the newer tree whose roots form the proof, in proof order.

    Args:
        old: Leaves of the older tree.
        new: Leaves of the newer tree, at least as many.

    Example:
        The four examples of RFC 6962, section 2.1.3, are of a tree of 7 leaves.

        >>> consistency_spans(3, 7), consistency_spans(4, 7)
        ([(2, 3), (3, 4), (0, 2), (4, 7)], [(4, 7)])
        >>> consistency_spans(6, 7), consistency_spans(0, 7), consistency_spans(7, 7)
        ([(4, 6), (6, 7), (0, 4)], [], [])
    """
    if not 0 <= old <= new:
        raise ValueError(f"a log of {new} entries has no prefix of {old}")
    return [] if old in (0, new) else _spans(old, 0, new, True)


def _spans(old: int, first: int, end: int, whole: bool) -> list[tuple[int, int]]:
    """`whole` means that the span is the whole older tree, whose root the verifier already has."""
    if old == end:
        return [] if whole else [(first, end)]
    middle = first + (1 << (end - first - 1).bit_length() - 1)
    if old <= middle:
        return [*_spans(old, first, middle, whole), (middle, end)]
    return [*_spans(old, middle, end, False), (first, middle)]


def check_consistency(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """Verify that the older tree is a prefix of the newer one.

    Args:
        old: Size and root of the older tree.
        new: Size and root of the newer tree.
        proof: Roots of `consistency_spans`.

    Raises:
        VerificationFailed: The proof is invalid.

    Example:
        >>> from xinglin.core.merkle import leaf_hash, root_of
        >>> leaves = [leaf_hash(bytes([n])) for n in range(7)]
        >>> roots = [root_of(leaves[first:end]) for first, end in consistency_spans(3, 7)]
        >>> check_consistency((3, root_of(leaves[:3])), (7, root_of(leaves)), roots)
    """
    (before, old_root), (after, new_root) = old, new
    if before > after:
        raise VerificationFailed(f"the log shrank from {before} to {after} entries")
    spans = consistency_spans(before, after)
    if len(proof) != len(spans):
        raise VerificationFailed(f"the consistency proof has {len(proof)} hashes, expected {len(spans)}")
    if before == after:
        if old_root != new_root:
            raise VerificationFailed(f"two logs of {before} entries have different roots")
        return
    if before == 0:
        if old_root != EMPTY_ROOT:
            raise VerificationFailed("the root of the empty log is wrong")
        return
    reached = _reached(before, after, old_root, list(proof))
    if reached != (old_root, new_root):
        which = "older" if reached[0] != old_root else "newer"
        raise VerificationFailed(f"the consistency proof does not lead to the root of the {which} log")


def _reached(before: int, after: int, old_root: bytes, proof: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of the older and the newer tree computed from the proof."""

    def walk(first: int, end: int, whole: bool) -> tuple[bytes, bytes]:
        if before == end:
            value = old_root if whole else proof.pop(0)
            return value, value
        middle = first + (1 << (end - first - 1).bit_length() - 1)
        if before <= middle:
            older, newer = walk(first, middle, whole)
            return older, _node(newer, proof.pop(0))
        older, newer = walk(middle, end, False)
        left = proof.pop(0)
        return _node(left, older), _node(left, newer)

    return walk(0, after, True)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
