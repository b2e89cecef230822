"""Consistency proofs of RFC 6962 against an independent account of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import EMPTY_ROOT, leaf_hash, root_of
from xinglin.ledger.state.consistency import check_consistency, consistency_spans

LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(70)]


def proof(old: int, new: int) -> list[bytes]:
    return [root_of(LEAVES[first:end]) for first, end in consistency_spans(old, new)]


def by_definition(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2, word by word."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if old <= half:
        return [*by_definition(old, leaves[:half], whole), root_of(leaves[half:])]
    return [*by_definition(old - half, leaves[half:], False), root_of(leaves[:half])]


@given(st.data())
def test_every_older_log_is_the_beginning_of_a_newer_one(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, new))
    assert proof(old, new) == by_definition(old, LEAVES[:new])
    check_consistency((old, root_of(LEAVES[:old])), (new, root_of(LEAVES[:new])), proof(old, new))


@given(st.data())
def test_a_log_with_another_entry_is_not_a_continuation(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new))
    changed = data.draw(st.integers(0, old - 1))
    other = [*LEAVES[:changed], leaf_hash(b"other"), *LEAVES[changed + 1 : new]]
    shown = [root_of(other[first:end]) for first, end in consistency_spans(old, new)]
    with pytest.raises(VerificationFailed):
        check_consistency((old, root_of(LEAVES[:old])), (new, root_of(other)), shown)


@given(st.data())
def test_a_flipped_bit_in_the_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    shown = proof(old, new)
    number = data.draw(st.integers(0, len(shown) - 1))
    shown[number] = bytes([shown[number][0] ^ 1]) + shown[number][1:]
    with pytest.raises(VerificationFailed):
        check_consistency((old, root_of(LEAVES[:old])), (new, root_of(LEAVES[:new])), shown)


def test_a_log_that_shrank_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="shrank from 3 to 2"):
        check_consistency((3, root_of(LEAVES[:3])), (2, root_of(LEAVES[:2])), [])


def test_an_empty_log_begins_every_log() -> None:
    check_consistency((0, EMPTY_ROOT), (5, root_of(LEAVES[:5])), [])
    with pytest.raises(VerificationFailed):
        check_consistency((0, bytes(32)), (5, root_of(LEAVES[:5])), [])
