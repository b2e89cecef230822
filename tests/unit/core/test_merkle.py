"""RFC 6962 against the known answers of Certificate Transparency."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinglin.core.merkle import EMPTY_ROOT, Tree, audit_path, cover, leaf_hash, root_from_path, root_of

# Inputs and roots of github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc
INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]


def defined(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\x01" + defined(leaves[:middle]) + defined(leaves[middle:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_an_audit_path_is_that_of_certificate_transparency() -> None:
    assert [one.hex() for one in audit_path(LEAVES, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


@given(st.lists(st.integers(1, 9), max_size=12))
def test_parts_put_together_give_the_root_of_the_whole(sizes: list[int]) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(sum(sizes))]
    tree, start = Tree(), 0
    for size in sizes:
        tree.extend(cover(leaves[start : start + size], start))
        start += size
    assert tree.size == len(leaves)
    assert tree.root() == defined(leaves)


@given(st.integers(1, 70), st.data())
def test_every_leaf_has_a_path_and_no_other_leaf_fits_it(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    leaf = data.draw(st.integers(0, size - 1))
    path = audit_path(leaves, leaf)
    assert root_from_path(leaf, size, leaves[leaf], path) == defined(leaves)
    assert root_from_path(leaf, size, leaf_hash(b"forged"), path) != defined(leaves)
    with pytest.raises(ValueError, match="audit path"):
        root_from_path(leaf, size, leaves[leaf], [*path, EMPTY_ROOT])


def test_a_part_that_does_not_follow_is_refused() -> None:
    with pytest.raises(ValueError, match="begins at leaf"):
        Tree().extend(cover(LEAVES, 1))
