"""What a transaction of each type says: one checked, frozen form for each; unknown fields are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from xinglin.ledger.codes import Code
from xinglin.ledger.envelope import Refused

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
    "is_name",
    "read_body",
]

MAX_POWER = 1_000_000
MAX_INPUTS = 1_024
ONE_SECOND = 1_000_000

_LARGEST = 2**53
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}").fullmatch
_LABEL = re.compile(r"[!-~][ -~]{0,127}").fullmatch
_KEY_ID = re.compile(r"[0-9a-f]{16}").fullmatch

Check = Callable[[object], bool]


def is_name(value: object) -> bool:
    """Whether this can name an institution, a site, a build or a backup.

    Example:
        >>> is_name("hospital-1"), is_name("a/b")
        (True, False)
    """
    return type(value) is str and _NAME(value) is not None


def _is_label(value: object) -> bool:
    return type(value) is str and _LABEL(value) is not None


def _is_bytes(length: int) -> Check:
    return lambda value: type(value) is bytes and len(value) == length


def _is_number(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _is_one_of(*words: str) -> Check:
    return lambda value: type(value) is str and value in words


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_hashes(value: object) -> bool:
    return type(value) is list and len(value) <= MAX_INPUTS and all(map(_is_bytes(32), value))


def _is(check: Check) -> Any:
    return field(metadata={"check": check})


_hash = _is_bytes(32)
_count = _is_number(0, _LARGEST)


class Body:
    """What every form has."""

    __slots__ = ()

    def agrees(self) -> bool:
        """Whether the fields fit together; each alone was checked before."""
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
    """

    action: str = _is(_is_one_of("add", "remove", "power"))
    name: str = _is(is_name)
    public_key: bytes | None = _is(_or_none(_hash))
    validator_key: bytes | None = _is(_or_none(_hash))
    power: int = _is(_is_number(0, MAX_POWER))

    def agrees(self) -> bool:
        """A key is given exactly when an institution is added, and one that leaves has no power."""
        if self.action == "add":
            return self.public_key is not None
        alone = self.public_key is None and self.validator_key is None
        return alone and (self.action == "power" or self.power == 0)


@dataclass(frozen=True, slots=True)
class InstitutionVote(Body):
    """A vote on a proposal.

    Attributes:
        proposal: SHA-256 of the proposing transaction.
        approve: For or against; a later vote replaces an earlier one.
    """

    proposal: bytes = _is(_hash)
    approve: bool = _is(lambda value: type(value) is bool)


@dataclass(frozen=True, slots=True)
class KeyRotate(Body):
    """One more key for the institution; the old one stays valid until it is revoked."""

    public_key: bytes = _is(_hash)


@dataclass(frozen=True, slots=True)
class KeyRevoke(Body):
    """A key of the institution is not valid any more."""

    key_id: str = _is(lambda value: type(value) is str and _KEY_ID(value) is not None)


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

    site: str = _is(is_name)
    sequence: int = _is(_is_number(1, 99_999_999))
    manifest: bytes = _is(_hash)
    root: bytes = _is(_hash)
    size: int = _is(_count)
    schema: str = _is(_is_label)
    previous: bytes | None = _is(_or_none(_hash))


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

    kind: str = _is(_is_one_of("mart", "model"))
    name: str = _is(is_name)
    inputs: Sequence[bytes] = _is(_is_hashes)
    code: str = _is(_is_label)
    output: bytes = _is(_hash)
    previous: bytes | None = _is(_or_none(_hash))


@dataclass(frozen=True, slots=True)
class BackupAnchor(Body):
    """A backup: its name, its root, and the root that is current now (null for the first)."""

    name: str = _is(is_name)
    root: bytes = _is(_hash)
    previous: bytes | None = _is(_or_none(_hash))


@dataclass(frozen=True, slots=True)
class RestoreAttest(Body):
    """A backup (its root) was restored, and this is the app hash that the restored ledger had."""

    backup: bytes = _is(_hash)
    app_hash: bytes = _is(_hash)


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

    handle: bytes = _is(_is_bytes(16))
    commitment: bytes = _is(_hash)
    valid_from: int = _is(_count)
    valid_until: int | None = _is(_or_none(_count))
    previous: bytes | None = _is(_or_none(_hash))

    def agrees(self) -> bool:
        """It does not end before it begins."""
        return self.valid_until is None or self.valid_from < self.valid_until


@dataclass(frozen=True, slots=True)
class ConsentWithdraw(Body):
    """A consent is withdrawn for good; `previous` is the commitment that is current now."""

    handle: bytes = _is(_is_bytes(16))
    previous: bytes = _is(_hash)


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

    root: bytes = _is(_hash)
    count: int = _is(_is_number(1, _LARGEST))
    first: int = _is(_count)
    last: int = _is(_count)
    stream: bytes = _is(_is_bytes(16))

    def agrees(self) -> bool:
        """It covers no more than a second."""
        return 0 <= self.last - self.first <= ONE_SECOND


@dataclass(frozen=True, slots=True)
class ErasureNotice(Body):
    """Resources of an anchored batch (its manifest) were erased; `tombstone` is the digest of the signed notice."""

    site: str = _is(is_name)
    sequence: int = _is(_is_number(1, 99_999_999))
    manifest: bytes = _is(_hash)
    tombstone: bytes = _is(_hash)


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
