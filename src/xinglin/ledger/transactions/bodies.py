"""Transaction bodies: one checked, frozen class per type; unknown fields are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from xinglin.ledger.codes import Code
from xinglin.ledger.transactions.envelope import Envelope, Refused
from xinglin.ledger.transactions.fields import (
    Check,
    checked,
    is_bytes,
    is_count,
    is_flag,
    is_hash,
    is_hashes,
    is_key_id,
    is_label,
    is_name,
    is_number,
    is_one_of,
    is_signature,
    or_none,
)
from xinglin.ledger.transactions.possession import holds, joining, rotation

__all__ = [
    "BODIES",
    "AccessBatch",
    "BackupAnchor",
    "Body",
    "BuildAnchor",
    "ConsentPut",
    "ConsentWithdraw",
    "DataAnchor",
    "ErasureNotice",
    "InstitutionPropose",
    "InstitutionVote",
    "KeyRevoke",
    "KeyRotate",
    "RestoreAttest",
    "read_body",
]

MAX_POWER = 1_000_000
ONE_SECOND = 1_000_000


class Body:
    """Base class of all bodies."""

    __slots__ = ()

    def agrees(self) -> bool:
        """Whether the fields are consistent; each field was checked before."""
        return True

    def proven(self, envelope: Envelope) -> bool:
        """Whether each new key has a valid proof of possession for this envelope."""
        return True


@dataclass(frozen=True, slots=True)
class InstitutionPropose(Body):
    """Add or remove an institution, or change its voting power; counts as the proposer's vote.

    Attributes:
        action: ``add``, ``remove`` or ``power``.
        name: Name of the institution.
        public_key: Its first transaction key; null unless it is added.
        validator_key: Ed25519 key with which its CometBFT node votes; null if none.
        power: Voting power; 0 to remove.
        public_key_proof: Signature of `public_key` over `possession.joining`; null without that key.
        validator_key_proof: Signature of `validator_key` over the same statement.
    """

    action: str = checked(is_one_of("add", "remove", "power"))
    name: str = checked(is_name)
    public_key: bytes | None = checked(or_none(is_hash))
    validator_key: bytes | None = checked(or_none(is_hash))
    power: int = checked(is_number(0, MAX_POWER))
    public_key_proof: bytes | None = checked(or_none(is_signature))
    validator_key_proof: bytes | None = checked(or_none(is_signature))

    def agrees(self) -> bool:
        """Keys are given only to add an institution, each with its proof; a removal has power 0."""
        pairs = ((self.public_key, self.public_key_proof), (self.validator_key, self.validator_key_proof))
        if any((key is None) != (proof is None) for key, proof in pairs):
            return False
        if self.action == "add":
            return self.public_key is not None and self.public_key != self.validator_key
        alone = self.public_key is None and self.validator_key is None
        return alone and (self.action == "power" or self.power == 0)

    def proven(self, envelope: Envelope) -> bool:
        """Each key signed the statement to join this chain under this name."""
        if self.public_key is None:
            return True
        statement = joining(envelope.chain_id, self.name, self.public_key, self.validator_key)
        pairs = ((self.public_key, self.public_key_proof), (self.validator_key, self.validator_key_proof))
        return all(key is None or holds(key, statement, proof or b"") for key, proof in pairs)


@dataclass(frozen=True, slots=True)
class InstitutionVote(Body):
    """A vote on a proposal.

    Attributes:
        proposal: SHA-256 of the proposing transaction.
        approve: True for, false against; a later vote replaces an earlier one.
    """

    proposal: bytes = checked(is_hash)
    approve: bool = checked(is_flag)


@dataclass(frozen=True, slots=True)
class KeyRotate(Body):
    """Add a key of the institution; the old key stays valid until it is revoked.

    Attributes:
        public_key: The new key.
        proof: Signature of the new key over `possession.rotation`.
    """

    public_key: bytes = checked(is_hash)
    proof: bytes = checked(is_signature)

    def proven(self, envelope: Envelope) -> bool:
        """The new key signed the statement for this institution and transaction."""
        terms = (envelope.chain_id, envelope.institution, envelope.key_id, self.public_key, envelope.seq)
        return holds(self.public_key, rotation(*terms), self.proof)


@dataclass(frozen=True, slots=True)
class KeyRevoke(Body):
    """Revoke a key of the institution."""

    key_id: str = checked(is_key_id)


@dataclass(frozen=True, slots=True)
class DataAnchor(Body):
    """Anchor a landed batch.

    Attributes:
        site: The site; belongs to the institution that anchored it first.
        sequence: Batch number at the site, from 1 without gaps.
        manifest: SHA-256 of manifest.json.
        root: RFC 6962 root over the resources.
        size: Number of resources.
        schema: Name of the batch format.
        previous: Manifest of the previous batch; null for the first.
    """

    site: str = checked(is_name)
    sequence: int = checked(is_number(1, 99_999_999))
    manifest: bytes = checked(is_hash)
    root: bytes = checked(is_hash)
    size: int = checked(is_count)
    schema: str = checked(is_label)
    previous: bytes | None = checked(or_none(is_hash))


@dataclass(frozen=True, slots=True)
class BuildAnchor(Body):
    """Anchor a build of the mart or of a model.

    Attributes:
        kind: ``mart`` or ``model``.
        name: Name of the build; belongs to the institution that anchored it first.
        inputs: Roots of the inputs, at most 1,024.
        code: Version of the code.
        output: Root of the output.
        previous: The current output; null for the first.
    """

    kind: str = checked(is_one_of("mart", "model"))
    name: str = checked(is_name)
    inputs: Sequence[bytes] = checked(is_hashes)
    code: str = checked(is_label)
    output: bytes = checked(is_hash)
    previous: bytes | None = checked(or_none(is_hash))


@dataclass(frozen=True, slots=True)
class BackupAnchor(Body):
    """Anchor a backup: name, root, and the current root (null for the first)."""

    name: str = checked(is_name)
    root: bytes = checked(is_hash)
    previous: bytes | None = checked(or_none(is_hash))


@dataclass(frozen=True, slots=True)
class RestoreAttest(Body):
    """Attest a restore: root of the backup, and app hash of the restored ledger."""

    backup: bytes = checked(is_hash)
    app_hash: bytes = checked(is_hash)


@dataclass(frozen=True, slots=True)
class ConsentPut(Body):
    """Add or replace a consent.

    Attributes:
        handle: 16 random bytes, independent of the person.
        commitment: SHA-256 of a salt and the canonical FHIR Consent.
        valid_from: Unix seconds.
        valid_until: Unix seconds, later; null for no end.
        previous: The current commitment; null for a new handle.
    """

    handle: bytes = checked(is_bytes(16))
    commitment: bytes = checked(is_hash)
    valid_from: int = checked(is_count)
    valid_until: int | None = checked(or_none(is_count))
    previous: bytes | None = checked(or_none(is_hash))

    def agrees(self) -> bool:
        """The end is after the start."""
        return self.valid_until is None or self.valid_from < self.valid_until


@dataclass(frozen=True, slots=True)
class ConsentWithdraw(Body):
    """Withdraw a consent for ever; `previous` is the current commitment."""

    handle: bytes = checked(is_bytes(16))
    previous: bytes = checked(is_hash)


@dataclass(frozen=True, slots=True)
class AccessBatch(Body):
    """Anchor a sealed segment of an audit log.

    Attributes:
        root: RFC 6962 root over the events.
        count: Number of events, at least one.
        first: Time of the first event, microseconds since 1970.
        last: Time of the last event, at most one second later.
        stream: 16 random bytes that identify the stream.
    """

    root: bytes = checked(is_hash)
    count: int = checked(is_number(1, 2**53))
    first: int = checked(is_count)
    last: int = checked(is_count)
    stream: bytes = checked(is_bytes(16))

    def agrees(self) -> bool:
        """The segment covers at most one second."""
        return 0 <= self.last - self.first <= ONE_SECOND


@dataclass(frozen=True, slots=True)
class ErasureNotice(Body):
    """Announce that resources of an anchored batch were erased; `tombstone` is the digest of the signed tombstone."""

    site: str = checked(is_name)
    sequence: int = checked(is_number(1, 99_999_999))
    manifest: bytes = checked(is_hash)
    tombstone: bytes = checked(is_hash)


BODIES: dict[str, type[Body]] = {
    form.__name__: form
    for form in (
        InstitutionPropose,
        InstitutionVote,
        KeyRotate,
        KeyRevoke,
        DataAnchor,
        BuildAnchor,
        BackupAnchor,
        RestoreAttest,
        ConsentPut,
        ConsentWithdraw,
        AccessBatch,
        ErasureNotice,
    )
}


@cache
def _checks(kind: str) -> dict[str, Check]:
    return {one.name: one.metadata["check"] for one in fields(BODIES[kind])}  # type: ignore[arg-type]


def read_body(kind: str, body: dict[str, Any]) -> Body:
    """Check a body and create its class.

    Raises:
        Refused: UNKNOWN_TYPE, or BAD_BODY for a missing, unknown or malformed field.

    Example:
        >>> read_body("KeyRevoke", {"key_id": "66687aadf862bd77"})
        KeyRevoke(key_id='66687aadf862bd77')
    """
    form = BODIES.get(kind)
    if form is None:
        raise Refused(Code.UNKNOWN_TYPE)
    checks = _checks(kind)
    if body.keys() != checks.keys():
        raise Refused(Code.BAD_BODY)
    for name, check in checks.items():
        if not check(body[name]):
            raise Refused(Code.BAD_BODY)
    read = form(**body)
    if not read.agrees():
        raise Refused(Code.BAD_BODY)
    return read
