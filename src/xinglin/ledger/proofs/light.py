"""Light client: verify blocks of a consortium without a node, by header hash, validator set hash and votes.

Implements CometBFT's data structures as ``types.Header.Hash``, ``types.ValidatorSet.Hash`` and ``types.VoteSignBytes``
compute them, with SHA-256 and Ed25519 only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import leaf_hash, root_of
from xinglin.ledger.proofs.protobuf import fixed64, length_delimited, message, timestamp, varint, whole

__all__ = [
    "BlockId",
    "Header",
    "SignedHeader",
    "Time",
    "Validators",
    "Vote",
    "address",
    "check_commit",
    "verify_chain",
    "vote_bytes",
    "with_valid_votes_only",
]

_PRECOMMIT = 2
Time = tuple[int, int]
"""Unix seconds and nanoseconds."""


@dataclass(frozen=True)
class BlockId:
    """Identifier of a block in votes and headers; an empty `hash` means no block.

    Args:
        hash: Hash of the header.
        parts: Number of block parts.
        parts_hash: Root over the parts.
    """

    hash: bytes = b""
    parts: int = 0
    parts_hash: bytes = b""

    def encode(self) -> bytes:
        """Encoding of BlockID and CanonicalBlockID, which are equal."""
        part_set = whole(1, self.parts) + length_delimited(2, self.parts_hash)
        return length_delimited(1, self.hash) + message(2, part_set)


@dataclass(frozen=True)
class Header:
    """A block header; fields in the order of hashing.

    Args:
        version: Protocol versions of block and application.
        chain_id: The chain id.
        height: Height of the block.
        time: Block time.
        last_block: The previous block.
        last_commit_hash: Hash of the votes for the previous block.
        data_hash: Root over the transactions.
        validators_hash: Hash of the validators of this block.
        next_validators_hash: Hash of the validators of the next block.
        consensus_hash: Hash of the consensus parameters.
        app_hash: App hash after the previous block.
        last_results_hash: Root over the results of the previous block.
        evidence_hash: Root over evidence of misbehaviour.
        proposer: Address of the proposing validator.
    """

    version: tuple[int, int]
    chain_id: str
    height: int
    time: Time
    last_block: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer: bytes

    def hash(self) -> bytes:
        """The root over the 14 encoded fields."""
        fields = [
            whole(1, self.version[0]) + whole(2, self.version[1]),
            length_delimited(1, self.chain_id.encode()),
            whole(1, self.height),
            timestamp(*self.time),
            self.last_block.encode(),
            length_delimited(1, self.last_commit_hash),
            length_delimited(1, self.data_hash),
            length_delimited(1, self.validators_hash),
            length_delimited(1, self.next_validators_hash),
            length_delimited(1, self.consensus_hash),
            length_delimited(1, self.app_hash),
            length_delimited(1, self.last_results_hash),
            length_delimited(1, self.evidence_hash),
            length_delimited(1, self.proposer),
        ]
        return root_of([leaf_hash(field) for field in fields])


@dataclass(frozen=True)
class Validators:
    """A validator set in consensus order.

    Args:
        members: Ed25519 public key and voting power, ordered by descending power, then by address.

    Example:
        >>> Validators.of([(bytes(32), 1), (bytes([1] * 32), 5)]).members[0][1]
        5
    """

    members: tuple[tuple[bytes, int], ...]

    @classmethod
    def of(cls, members: Iterable[tuple[bytes, int]]) -> Validators:
        """A validator set from members in any order."""
        return cls(tuple(sorted(members, key=lambda one: (-one[1], address(one[0])))))

    @property
    def power(self) -> int:
        """Total voting power."""
        return sum(power for _, power in self.members)

    def hash(self) -> bytes:
        """The root over the encoded validators (key and power)."""
        encoded = (message(1, length_delimited(1, key)) + whole(2, power) for key, power in self.members)
        return root_of([leaf_hash(one) for one in encoded])


def address(public_key: bytes) -> bytes:
    """A validator's address: the first 20 bytes of the SHA-256 of its key."""
    return hashlib.sha256(public_key).digest()[:20]


@dataclass(frozen=True)
class Vote:
    """One validator's signature on a block.

    Args:
        validator: Address of the validator.
        time: Time of the vote.
        signature: Ed25519 over `vote_bytes`.
    """

    validator: bytes
    time: Time
    signature: bytes


@dataclass(frozen=True)
class SignedHeader:
    """A header and the votes that committed its block.

    Args:
        header: The header.
        round: Consensus round of the commit.
        parts: Number of block parts.
        parts_hash: Root over the parts.
        votes: Votes for the block, without nil and absent votes.
    """

    header: Header
    round: int
    parts: int
    parts_hash: bytes
    votes: tuple[Vote, ...]


def vote_bytes(chain_id: str, height: int, round: int, block: BlockId, time: Time, kind: int = _PRECOMMIT) -> bytes:
    """The bytes that a validator signs: the length-prefixed canonical vote.

    Example:
        >>> vote_bytes("", 1, 1, BlockId(), (-62135596800, 0)).hex()
        '2108021101000000000000001901000000000000002a0b088092b8c398feffffff01'
    """
    content = (
        whole(1, kind)
        + fixed64(2, height)
        + fixed64(3, round)
        + (message(4, block.encode()) if block.hash else b"")
        + message(5, timestamp(*time))
        + length_delimited(6, chain_id.encode())
    )
    return varint(len(content)) + content


def check_commit(signed: SignedHeader, validators: Validators) -> int:
    """Check that validators with more than two thirds of the power voted for the block.

    Args:
        signed: The header and the votes.
        validators: The trusted validator set of the block.

    Returns:
        Voting power of the votes.

    Raises:
        VerificationFailed: The header names other validators, a vote is invalid, or the voting power is too low.
    """
    header = signed.header
    where = f"height {header.height}"
    if header.validators_hash != validators.hash():
        raise VerificationFailed("the validators of the header are not the trusted ones", source=where)
    block = BlockId(header.hash(), signed.parts, signed.parts_hash)
    members = {address(key): (key, power) for key, power in validators.members}
    behind = 0
    for number, vote in enumerate(signed.votes):
        key, power = members.pop(vote.validator, (b"", 0))
        if not key:
            raise VerificationFailed(f"vote {number} is not from a validator, or is a duplicate", source=where)
        if not _holds(signed, block, vote, key):
            raise VerificationFailed(f"the signature of vote {number} is invalid", source=where)
        behind += power
    if 3 * behind <= 2 * validators.power:
        raise VerificationFailed(f"{behind} of {validators.power} of the voting power is not enough", source=where)
    return behind


def with_valid_votes_only(signed: SignedHeader, validators: Validators) -> SignedHeader:
    """A copy with only the votes that `check_commit` accepts, for use in a proof.

    CometBFT accepts more encodings of Ed25519 signatures (ZIP 215) than other verifiers do; a validator that uses them
    must not make the proof invalid.
    """
    block = BlockId(signed.header.hash(), signed.parts, signed.parts_hash)
    keys = {address(key): key for key, _ in validators.members}
    votes = (vote for vote in signed.votes if vote.validator in keys)
    return replace(signed, votes=tuple(one for one in votes if _holds(signed, block, one, keys[one.validator])))


def _holds(signed: SignedHeader, block: BlockId, vote: Vote, key: bytes) -> bool:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    text = vote_bytes(signed.header.chain_id, signed.header.height, signed.round, block, vote.time)
    try:
        VerifyKey(key).verify(text, vote.signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def verify_chain(
    trusted: Validators, changes: Sequence[tuple[SignedHeader, Validators]], last: SignedHeader, chain_id: str
) -> int:
    """Verify a header from the validators of the genesis, across all changes of the validator set.

    Args:
        trusted: The validators of the genesis.
        changes: Headers with another next validator set, and that set, oldest first.
        last: The header to verify.
        chain_id: The chain id.

    Returns:
        Voting power of the votes for the last header.

    Raises:
        VerificationFailed: Names the height of the first invalid header.
    """
    height = 0
    for signed, following in changes:
        _check_place(signed.header, chain_id, height)
        check_commit(signed, trusted)
        if following.hash() != signed.header.next_validators_hash:
            raise VerificationFailed(
                "the next validators differ from the header", source=f"height {signed.header.height}"
            )
        trusted, height = following, signed.header.height
    _check_place(last.header, chain_id, height)
    return check_commit(last, trusted)


def _check_place(header: Header, chain_id: str, after: int) -> None:
    if header.chain_id != chain_id:
        raise VerificationFailed("the header belongs to another chain", source=f"height {header.height}")
    if header.height <= after:
        raise VerificationFailed("the header is not later than its predecessor", source=f"height {header.height}")
