from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.core.merkle import root_from_path
from xinglin.ledger.state import log

LEAVES = [hashlib.sha256(b"%d" % number).digest() for number in range(200)]


def _split(length: int) -> int:
    power = 1
    while power * 2 < length:
        power *= 2
    return power


def _mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return hashlib.sha256(b"\x01" + _mth(leaves[:k]) + _mth(leaves[k:])).digest()


def _path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*_path(m, leaves[:k]), _mth(leaves[k:])]
    return [*_path(m - k, leaves[k:]), _mth(leaves[:k])]


def _subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if whole else [_mth(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], whole), _mth(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), _mth(leaves[:k])]


class Kept:
    """A log that counts what is read of it."""

    def __init__(self, sizes: list[int]) -> None:
        self.subtrees: dict[tuple[int, int], bytes] = {}
        self.reads = self.size = 0
        for size in sizes:
            new = log.append(self.size, LEAVES[self.size : self.size + size], self.read)
            assert not new.keys() & self.subtrees.keys()
            self.subtrees.update(new)
            self.size += size

    def read(self, level: int, number: int) -> bytes:
        self.reads += 1
        return self.subtrees[level, number]


SIZES = st.lists(st.integers(0, 30), max_size=6)


@settings(deadline=None)
@given(SIZES, st.data())
def test_every_root_and_proof_at_every_size_is_that_of_the_rfc(sizes: list[int], data) -> None:
    kept = Kept(sizes)
    second = data.draw(st.integers(0, kept.size))
    first = data.draw(st.integers(0, second))
    assert log.root(second, kept.read) == _mth(LEAVES[:second])
    expected = _subproof(first, LEAVES[:second], True) if 0 < first < second else []
    assert list(log.consistency_path(first, second, kept.read)) == expected
    if second:
        index = data.draw(st.integers(0, second - 1))
        path = log.audit_path(index, second, kept.read)
        assert list(path) == _path(index, LEAVES[:second])
        assert root_from_path(index, second, LEAVES[index], list(path)) == _mth(LEAVES[:second])


def test_a_proof_reads_little() -> None:
    kept = Kept([199])
    for index in range(199):
        kept.reads = 0
        log.audit_path(index, 199, kept.read)
        assert kept.reads <= 12
    for first in range(1, 199):
        kept.reads = 0
        log.consistency_path(first, 199, kept.read)
        assert kept.reads <= 14
