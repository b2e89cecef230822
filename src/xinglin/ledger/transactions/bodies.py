"""What a transaction of each type says: one checked, frozen form for each; unknown fields are refused."""

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
    """What every form has."""

    __slots__ = ()

    def agrees(self) -> bool:
        """Whether the fields fit together; each alone was checked before."""
        return True

    def proven(self, envelope: Envelope) -> bool:
        """Whether every key that it brings is shown to be held by whoever brings it, in this very envelope."""
        return True


@dataclass(frozen=True, slots=True)
class InstitutionPropose(Body):
    """Add or remove an institution, or change its voting power; counts as the proposer's vote.

    Attributes:
        action: ``add``, ``remove`` or ``power``.
        name: The institution.
        public_key: Its first transaction key; null unless it is added.
        validator_key: The Ed25519 key that its CometBFT node signs blocks with; null for none.
        power: Its voting power; 0 when removed.
        public_key_proof: Signature by `public_key` over `possession.joining`; null where there is no such key.
        validator_key_proof: The same by `validator_key`.
    """

    action: str = checked(is_one_of("add", "remove", "power"))
    name: str = checked(is_name)
    public_key: bytes | None = checked(or_none(is_hash))
    validator_key: bytes | None = checked(or_none(is_hash))
    power: int = checked(is_number(0, MAX_POWER))
    public_key_proof: bytes | None = checked(or_none(is_signature))
    validator_key_proof: bytes | None = checked(or_none(is_signature))

    def agrees(self) -> bool:
        """A key is given exactly when an institution is added, each with its proof; one that leaves has no power."""
        pairs = ((self.public_key, self.public_key_proof), (self.validator_key, self.validator_key_proof))
        if any((key is None) != (proof is None) for key, proof in pairs):
            return False
        if self.action == "add":
            return self.public_key is not None and self.public_key != self.validator_key
        alone = self.public_key is None and self.validator_key is None
        return alone and (self.action == "power" or self.power == 0)

    def proven(self, envelope: Envelope) -> bool:
        """Each key signed that it joins this chain under this name, with the other."""
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
        approve: For or against; a later vote replaces an earlier one.
    """

    proposal: bytes = checked(is_hash)
    approve: bool = checked(is_flag)


@dataclass(frozen=True, slots=True)
class KeyRotate(Body):
    """One more key for the institution; the old one stays valid until it is revoked.

    Attributes:
        public_key: The new key.
        proof: Signature by the new key over `possession.rotation`.
    """

    public_key: bytes = checked(is_hash)
    proof: bytes = checked(is_signature)

    def proven(self, envelope: Envelope) -> bool:
        """The new key signed that it becomes this institution's by this transaction."""
        told = (envelope.chain_id, envelope.institution, envelope.key_id, self.public_key, envelope.seq)
        return holds(self.public_key, rotation(*told), self.proof)


@dataclass(frozen=True, slots=True)
class KeyRevoke(Body):
    """A key of the institution is not valid any more."""

    key_id: str = checked(is_key_id)


@dataclass(frozen=True, slots=True)
class DataAnchor(Body):
    """A landed batch.

    Attributes:
        site: The site; it belongs to the institution that anchored it first.
        sequence: The batch's number at the site, from 1 without a gap.
        manifest: SHA-256 of its manifest.json.
        root: RFC 6962 root over its resources.
        size: How many resources that are.
        schema: The name of the form it has.
        previous: The manifest of the batch before; null for the first.
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
    """A build of the mart, or of a model.

    Attributes:
        kind: ``mart`` or ``model``.
        name: Which one; it belongs to the institution that anchored it first.
        inputs: Roots of what it was made from, at most 1,024.
        code: The version of the code that made it.
        output: Root of what came out.
        previous: The output that is current now; null for the first.
    """

    kind: str = checked(is_one_of("mart", "model"))
    name: str = checked(is_name)
    inputs: Sequence[bytes] = checked(is_hashes)
    code: str = checked(is_label)
    output: bytes = checked(is_hash)
    previous: bytes | None = checked(or_none(is_hash))


@dataclass(frozen=True, slots=True)
class BackupAnchor(Body):
    """A backup: its name, its root, and the root that is current now (null for the first)."""

    name: str = checked(is_name)
    root: bytes = checked(is_hash)
    previous: bytes | None = checked(or_none(is_hash))


@dataclass(frozen=True, slots=True)
class RestoreAttest(Body):
    """A backup (its root) was restored, and this is the app hash that the restored ledger had."""

    backup: bytes = checked(is_hash)
    app_hash: bytes = checked(is_hash)


@dataclass(frozen=True, slots=True)
class ConsentPut(Body):
    """A consent is given or replaced.

    Attributes:
        handle: 16 random bytes that name it and say nothing about the person.
        commitment: SHA-256 of a salt and the canonical FHIR Consent.
        valid_from: Unix seconds.
        valid_until: Unix seconds, later; null for no end.
        previous: The commitment that is current now; null when the handle is new.
    """

    handle: bytes = checked(is_bytes(16))
    commitment: bytes = checked(is_hash)
    valid_from: int = checked(is_count)
    valid_until: int | None = checked(or_none(is_count))
    previous: bytes | None = checked(or_none(is_hash))

    def agrees(self) -> bool:
        """It does not end before it begins."""
        return self.valid_until is None or self.valid_from < self.valid_until


@dataclass(frozen=True, slots=True)
class ConsentWithdraw(Body):
    """A consent is withdrawn for good; `previous` is the commitment that is current now."""

    handle: bytes = checked(is_bytes(16))
    previous: bytes = checked(is_hash)


@dataclass(frozen=True, slots=True)
class AccessBatch(Body):
    """A sealed segment of an audit log.

    Attributes:
        root: RFC 6962 root over its events.
        count: How many there are, at least one.
        first: When the first happened, in microseconds since 1970.
        last: When the last happened, at most a second later.
        stream: 16 random bytes that name the audit log.
    """

    root: bytes = checked(is_hash)
    count: int = checked(is_number(1, 2**53))
    first: int = checked(is_count)
    last: int = checked(is_count)
    stream: bytes = checked(is_bytes(16))

    def agrees(self) -> bool:
        """It covers no more than a second."""
        return 0 <= self.last - self.first <= ONE_SECOND


@dataclass(frozen=True, slots=True)
class ErasureNotice(Body):
    """Resources of an anchored batch (its manifest) were erased; `tombstone` is the digest of the signed notice."""

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
    """The form of a type, filled and checked.

    Raises:
        Refused: UNKNOWN_TYPE, or BAD_BODY for a missing, unknown or ill-formed field.

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
