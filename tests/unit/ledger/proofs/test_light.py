"""Headers, validators and votes of CometBFT, by its published test vectors and by chains made here."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime

import pytest
from nacl.signing import SigningKey

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.proofs.light import (
    BlockId,
    Header,
    SignedHeader,
    Validators,
    Vote,
    address,
    check_commit,
    verify_chain,
    vote_bytes,
)

ZERO_TIME = (-62135596800, 0)
"""Go's zero time, which the published vectors sign."""
KEYS = [SigningKey(bytes([number]) * 32) for number in range(1, 8)]


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    ("chain", "height", "kind", "expected"),
    [
        ("", 0, 0, "0d2a0b088092b8c398feffffff01"),
        ("", 1, 2, "21080211010000000000000019010000000000000" + "02a0b088092b8c398feffffff01"),
        ("", 1, 1, "21080111010000000000000019010000000000000" + "02a0b088092b8c398feffffff01"),
        ("", 1, 0, "1f11010000000000000019010000000000000" + "02a0b088092b8c398feffffff01"),
        (
            "test_chain_id", 1, 0,
            "2e11010000000000000019010000000000000" + "02a0b088092b8c398feffffff01320d746573745f636861696e5f6964",
        ),
    ],
)  # fmt: skip
def test_votes_are_signed_over_the_published_bytes(chain: str, height: int, kind: int, expected: str) -> None:
    assert vote_bytes(chain, height, height, BlockId(), ZERO_TIME, kind).hex() == expected


def test_a_header_has_the_published_hash() -> None:
    moment = int(datetime(2019, 10, 13, 16, 14, 44, tzinfo=UTC).timestamp())
    names = (
        "last_commit_hash", "data_hash", "validators_hash", "next_validators_hash", "consensus_hash", "app_hash",
        "last_results_hash", "evidence_hash",
    )  # fmt: skip
    hashes = {name: sha(name) for name in names}
    header = Header(
        version=(1, 2),
        chain_id="chainId",
        height=3,
        time=(moment, 0),
        last_block=BlockId(bytes(32), 6, bytes(32)),
        proposer=sha("proposer_address")[:20],
        **hashes,
    )
    assert header.hash().hex().upper() == "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4"


def keyed(*members: tuple[int, int]) -> Validators:
    return Validators.of((bytes(KEYS[number].verify_key), power) for number, power in members)


def block(height: int, now: Validators, following: Validators, signers: list[int]) -> SignedHeader:
    header = Header(
        version=(11, 1),
        chain_id="chain",
        height=height,
        time=(1_780_000_000, 5),
        last_block=BlockId(sha("last"), 1, sha("parts")),
        last_commit_hash=sha("commit"),
        data_hash=sha("data"),
        validators_hash=now.hash(),
        next_validators_hash=following.hash(),
        consensus_hash=sha("consensus"),
        app_hash=sha("app"),
        last_results_hash=sha("results"),
        evidence_hash=sha(""),
        proposer=bytes(20),
    )
    named = BlockId(header.hash(), 1, sha("of this block"))
    votes = []
    for number in signers:
        time = (1_780_000_001, number)
        text = vote_bytes("chain", height, 0, named, time)
        votes.append(Vote(address(bytes(KEYS[number].verify_key)), time, KEYS[number].sign(text).signature))
    return SignedHeader(header, 0, 1, named.parts_hash, tuple(votes))


FOUR = keyed((0, 10), (1, 10), (2, 10), (3, 10))


def test_three_of_four_are_more_than_two_thirds_and_two_are_not() -> None:
    assert check_commit(block(5, FOUR, FOUR, [0, 1, 3]), FOUR) == 30
    with pytest.raises(VerificationFailed, match="20 of 40 of the voting power is not enough"):
        check_commit(block(5, FOUR, FOUR, [0, 1]), FOUR)


def test_exactly_two_thirds_are_too_little() -> None:
    three = keyed((0, 1), (1, 1), (2, 1))
    with pytest.raises(VerificationFailed, match="2 of 3 of the voting power"):
        check_commit(block(5, three, three, [0, 1]), three)


def test_one_validator_counts_once() -> None:
    with pytest.raises(VerificationFailed, match="vote 2 is not from a validator, or is a duplicate"):
        check_commit(block(5, FOUR, FOUR, [0, 1, 1]), FOUR)


def test_a_stranger_does_not_count() -> None:
    with pytest.raises(VerificationFailed, match="vote 3 is not from a validator"):
        check_commit(block(5, FOUR, FOUR, [0, 1, 2, 5]), FOUR)


def test_other_validators_than_those_known_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="not the trusted ones"):
        check_commit(block(5, FOUR, FOUR, [0, 1, 2]), keyed((0, 10), (1, 10), (2, 10)))


@pytest.mark.parametrize("field", [one.name for one in dataclasses.fields(Header)])
def test_a_header_changed_in_any_field_is_refused(field: str) -> None:
    signed = block(5, FOUR, FOUR, [0, 1, 2, 3])
    was = getattr(signed.header, field)
    other: object = {
        "version": (11, 2), "chain_id": "other", "height": 6, "time": (1_780_000_000, 6), "last_block": BlockId(),
    }.get(field, bytes(32) if isinstance(was, bytes) and len(was) == 32 else b"x" * 20)  # fmt: skip
    changed = dataclasses.replace(signed, header=dataclasses.replace(signed.header, **{field: other}))
    with pytest.raises(VerificationFailed):
        check_commit(changed, FOUR)


def test_changes_by_vote_are_followed_from_the_genesis() -> None:
    second, third = keyed((1, 10), (2, 10), (3, 10), (4, 10)), keyed((4, 5), (5, 5), (6, 5))
    changes = [
        (block(8, FOUR, second, [0, 1, 2]), second),
        (block(20, second, third, [2, 3, 4]), third),
    ]
    last = block(31, third, third, [4, 5, 6])
    assert verify_chain(FOUR, changes, last, "chain") == 15
    with pytest.raises(VerificationFailed, match="not the trusted ones"):
        verify_chain(FOUR, changes[1:], last, "chain")
    with pytest.raises(VerificationFailed, match=r"next validators.*height 8"):
        verify_chain(FOUR, [(changes[0][0], third), changes[1]], last, "chain")
    with pytest.raises(VerificationFailed, match="not later than its predecessor"):
        verify_chain(FOUR, changes, block(20, third, third, [4, 5, 6]), "chain")
    with pytest.raises(VerificationFailed, match="another chain"):
        verify_chain(FOUR, changes, last, "other")
