"""Blocks of a consortium, checked without a node: header hash, validator set hash, votes, more than two thirds.

Follows CometBFT's specification of data structures, as its ``types.Header.Hash``, ``types.ValidatorSet.Hash`` and
``types.VoteSignBytes`` compute them. Nothing of CometBFT is needed, only SHA-256 and Ed25519.
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
    """How votes and headers name a block; no block when `hash` is empty.

    Args:
        hash: Hash of its header.
        parts: Number of the parts it is sent in.
        parts_hash: Root over them.
    """

    hash: bytes = b""
    parts: int = 0
    parts_hash: bytes = b""

    def encode(self) -> bytes:
        """BlockID and CanonicalBlockID have the same encoding."""
        part_set = whole(1, self.parts) + length_delimited(2, self.parts_hash)
        return length_delimited(1, self.hash) + message(2, part_set)


@dataclass(frozen=True)
class Header:
    """The fields of a block header, in the order in which they are hashed.

    Args:
        version: Protocol versions of block and application.
        chain_id: Name of the chain.
        height: Height of the block.
        time: When it was proposed.
        last_block: The block before it.
        last_commit_hash: Hash of the votes for the block before it.
        data_hash: Root over its transactions.
        validators_hash: Who votes on this block.
        next_validators_hash: Who votes on the next block.
        consensus_hash: Parameters of the consensus.
        app_hash: The ledger after the block before it.
        last_results_hash: Root over the results of the block before it.
        evidence_hash: Root over evidence of misbehaviour.
        proposer: Address of the validator that proposed it.
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
    """Who votes, with how much power; in the order that the consensus gives them.

    Args:
        members: Ed25519 public key and voting power of each, the most powerful first, then by address.

    Example:
        >>> Validators.of([(bytes(32), 1), (bytes([1] * 32), 5)]).members[0][1]
        5
    """

    members: tuple[tuple[bytes, int], ...]

    @classmethod
    def of(cls, members: Iterable[tuple[bytes, int]]) -> Validators:
        """Put validators into their order."""
        return cls(tuple(sorted(members, key=lambda one: (-one[1], address(one[0])))))

    @property
    def power(self) -> int:
        """The voting power of all."""
        return sum(power for _, power in self.members)

    def hash(self) -> bytes:
        """The root over the encoded validators (key and power)."""
        encoded = (message(1, length_delimited(1, key)) + whole(2, power) for key, power in self.members)
        return root_of([leaf_hash(one) for one in encoded])


def address(public_key: bytes) -> bytes:
    """The 20 bytes by which the consensus names a validator."""
    return hashlib.sha256(public_key).digest()[:20]


@dataclass(frozen=True)
class Vote:
    """One validator's signature on a block.

    Args:
        validator: Its address.
        time: When it voted.
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
        round: The round in which it was committed.
        parts: Number of the parts of the block.
        parts_hash: Root over them.
        votes: Votes for the block; those for no block or of nobody are left out.
    """

    header: Header
    round: int
    parts: int
    parts_hash: bytes
    votes: tuple[Vote, ...]


def vote_bytes(chain_id: str, height: int, round: int, block: BlockId, time: Time, kind: int = _PRECOMMIT) -> bytes:
    """What a validator signs: the canonical vote with its length before it.

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
        validators: Who may vote on it, known from elsewhere.

    Returns:
        The voting power that stands behind the block.

    Raises:
        VerificationFailed: The header names other validators, a vote is not what its validator signed, or the votes
            are too few.
    """
    header = signed.header
    where = f"height {header.height}"
    if header.validators_hash != validators.hash():
        raise VerificationFailed("the header names other validators than those that are known", source=where)
    block = BlockId(header.hash(), signed.parts, signed.parts_hash)
    members = {address(key): (key, power) for key, power in validators.members}
    behind = 0
    for number, vote in enumerate(signed.votes):
        key, power = members.pop(vote.validator, (b"", 0))
        if not key:
            raise VerificationFailed(f"vote {number} is of nobody who may vote, or counted already", source=where)
        if not _holds(signed, block, vote, key):
            raise VerificationFailed(f"vote {number} is not what its validator signed", source=where)
        behind += power
    if 3 * behind <= 2 * validators.power:
        raise VerificationFailed(f"{behind} of {validators.power} of the voting power is too little", source=where)
    return behind


def with_valid_votes_only(signed: SignedHeader, validators: Validators) -> SignedHeader:
    """The same with those votes alone that `check_commit` counts, for whoever makes a proof.

    CometBFT accepts more forms of an Ed25519 signature (ZIP 215) than other readers do; a validator that uses them
    must not spoil the proofs of the others.
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
    """Go from the validators of the genesis to a header, over every change of the validators between.

    Args:
        trusted: The validators of the genesis.
        changes: Headers whose `next_validators_hash` names others, and those others, oldest first.
        last: The header to be believed.
        chain_id: Name of the chain.

    Returns:
        The voting power that stands behind the last header.

    Raises:
        VerificationFailed: Names the height at which the chain does not hold.
    """
    height = 0
    for signed, following in changes:
        _check_place(signed.header, chain_id, height)
        check_commit(signed, trusted)
        if following.hash() != signed.header.next_validators_hash:
            raise VerificationFailed(
                "the next validators are not those that the header names", source=f"height {signed.header.height}"
            )
        trusted, height = following, signed.header.height
    _check_place(last.header, chain_id, height)
    return check_commit(last, trusted)


def _check_place(header: Header, chain_id: str, after: int) -> None:
    if header.chain_id != chain_id:
        raise VerificationFailed("the header is of another chain", source=f"height {header.height}")
    if header.height <= after:
        raise VerificationFailed("a header stands before the one it follows", source=f"height {header.height}")
