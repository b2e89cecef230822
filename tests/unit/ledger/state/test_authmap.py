from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.state import authmap
from xinglin.ledger.state.authmap import EMPTY, Ref, check_proof, prove, root_of_proof

ENTRIES = st.dictionaries(st.binary(max_size=3), st.binary(max_size=40), max_size=60)


def _sha(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _naive(entries: dict[bytes, bytes]) -> bytes:
    """The definition, word by word, over strings of bits."""

    def subtree(leaves: dict[str, bytes]) -> bytes:
        if not leaves:
            return bytes(32)
        if len(leaves) == 1:
            return next(iter(leaves.values()))
        sides = [{bits[1:]: leaf for bits, leaf in leaves.items() if bits[0] == side} for side in "01"]
        return _sha(b"\x01" + subtree(sides[0]) + subtree(sides[1]))

    def bits(key: bytes) -> str:
        return "".join(f"{byte:08b}" for byte in _sha(key))

    return subtree({bits(key): _sha(b"\x00" + _sha(key) + _sha(value)) for key, value in entries.items()})


class Kept:
    """A map and all nodes that it ever had."""

    def __init__(self) -> None:
        self.root = EMPTY
        self.nodes: dict[int, bytes] = {}

    def put(self, entries: dict[bytes, bytes]) -> Ref:
        made = authmap.update(self.root, entries.items(), self.read, len(self.nodes))
        self.root, new = made.root, made.nodes
        assert list(new) == list(range(len(self.nodes) + 1, len(self.nodes) + len(new) + 1))
        self.nodes.update(new)
        return self.root

    def read(self, number: int) -> bytes:
        return self.nodes[number]


@settings(deadline=None)
@given(ENTRIES)
def test_the_root_is_that_of_the_definition(entries: dict[bytes, bytes]) -> None:
    assert Kept().put(entries)[0] == _naive(entries)


@settings(deadline=None)
@given(st.lists(ENTRIES, max_size=6), st.randoms(use_true_random=False))
def test_the_root_does_not_depend_on_how_the_entries_came(blocks: list[dict[bytes, bytes]], random) -> None:
    grouped, single = Kept(), Kept()
    final: dict[bytes, bytes] = {}
    for block in blocks:
        grouped.put(block)
        final.update(block)
    order = list(final.items())
    random.shuffle(order)
    for key, value in order:
        single.put({key: value})
    assert grouped.root[0] == single.root[0] == _naive(final)


@settings(deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=4), st.binary(max_size=3))
def test_every_key_ever_there_and_any_absent_one_is_proved_at_every_root(
    blocks: list[dict[bytes, bytes]], absent: bytes
) -> None:
    kept, then = Kept(), []
    state: dict[bytes, bytes] = {}
    for block in blocks:
        state = state | block
        then.append((kept.put(block), state))
    for root, entries in then:
        for key in [*entries, absent]:
            proof = prove(root, key, kept.read)
            check_proof(proof)
            assert (proof.value, proof.root) == (entries.get(key), root[0])


@settings(max_examples=200, deadline=None)
@given(ENTRIES.filter(bool), st.binary(max_size=3), st.binary(max_size=5), st.data())
def test_no_proof_shows_another_value_than_the_one_there(entries, key: bytes, value: bytes, data) -> None:
    kept = Kept()
    kept.put(entries)
    base = prove(kept.root, data.draw(st.sampled_from([key, *entries])), kept.read)
    others = st.none() | st.just(base.other) | st.tuples(st.just(_sha(key)), st.just(_sha(value)))
    other = data.draw(others)
    claim = data.draw(st.sampled_from([None, value, *entries.values()]))
    forged = replace(base, key=key, value=claim, other=other)
    try:
        leads_there = root_of_proof(forged) == kept.root[0]
    except VerificationFailed:
        return
    assert not leads_there or entries.get(key) == claim


def test_a_leaf_that_stands_elsewhere_proves_no_absence() -> None:
    kept = Kept()
    kept.put({b"%d" % number: b"value" for number in range(50)})
    proof = prove(kept.root, b"7", kept.read)
    leaf = (_sha(b"7"), _sha(b"value"))
    with pytest.raises(VerificationFailed, match="other leaf of the state proof is malformed"):
        check_proof(replace(proof, value=None, other=leaf))
    with pytest.raises(VerificationFailed, match="not on the path"):
        check_proof(replace(prove(kept.root, b"absent", kept.read), value=None, other=(bytes(32), bytes(32))))
    with pytest.raises(VerificationFailed, match="path of the state proof is malformed"):
        check_proof(replace(proof, path=(b"short",)))
    with pytest.raises(VerificationFailed, match="its absence"):
        check_proof(replace(proof, other=leaf))
    with pytest.raises(VerificationFailed, match="its root"):
        check_proof(replace(proof, value=b"another"))


def test_a_change_adds_only_the_nodes_on_its_way() -> None:
    kept = Kept()
    kept.put({b"%d" % number: b"value" for number in range(4_000)})
    assert len(authmap.update(kept.root, [(b"7", b"other")], kept.read, len(kept.nodes)).nodes) < 40


def test_keys_whose_hashes_share_many_bits_stand_deep() -> None:
    numbers = sorted(range(3_000), key=lambda number: _sha(b"%d" % number))
    near = min(pairwise(numbers), key=lambda pair: _common(*pair))
    kept = Kept()
    kept.put({b"%d" % number: b"" for number in near})
    proof = prove(kept.root, b"%d" % near[0], kept.read)
    check_proof(proof)
    assert len(proof.path) > 18
    assert proof.path.count(bytes(32)) == len(proof.path) - 1


def _common(one: int, other: int) -> int:
    return int.from_bytes(_sha(b"%d" % one)) ^ int.from_bytes(_sha(b"%d" % other))
