"""Membership of the ledger: institutions, proposals, voting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from xinglin.core.errors import Conflict, NotFound, UsageError
from xinglin.ledger.institution.signer import Signer
from xinglin.ledger.keys import INSTITUTIONS, PROPOSALS, name_of
from xinglin.ledger.port import Header, Ledger
from xinglin.ledger.submission import submit_and_wait
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import digest_of

__all__ = [
    "Participant",
    "Proposal",
    "addition",
    "change",
    "participants",
    "proposals",
    "propose",
    "tolerated_failures",
    "vote",
]

_SEE = "check the state: xinglin ledger status"
_ID = re.compile(r"[0-9a-f]{8,64}")
_OTHERS = {"public_key": None, "validator_key": None, "public_key_proof": None, "validator_key_proof": None}


class _Read(Protocol):
    """The reading methods that this module needs."""

    def header(self) -> Header:
        """Header of the last block."""

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys with a prefix, and their values."""


@dataclass(frozen=True)
class Participant:
    """An institution on the ledger.

    Args:
        name: Name of the institution.
        power: Voting power.
        active: Whether it is a member now.
        validator_key: Validator key (hex); empty if there is none.
    """

    name: str
    power: int
    active: bool
    validator_key: str


@dataclass(frozen=True)
class Proposal:
    """A proposal and its votes.

    Args:
        id: SHA-256 (hex) of the transaction that proposed it.
        action: ``add``, ``remove`` or ``power``.
        name: The institution to add, remove or change.
        power: Its new voting power.
        institution: The proposer.
        agreed: Institutions that voted for it.
        against: Institutions that voted against it.
        silent: Institutions with voting power that have not voted.
        missing: Voting power still needed; 0 when decided.
        until: Unix seconds when it expires.
        outcome: ``open``, ``accepted``, ``rejected`` or ``expired``.
    """

    id: str
    action: str
    name: str
    power: int
    institution: str
    agreed: tuple[str, ...]
    against: tuple[str, ...]
    silent: tuple[str, ...]
    missing: int
    until: int
    outcome: str

    @property
    def words(self) -> str:
        """One sentence about the change.

        Example:
            >>> Proposal("00", "add", "east", 10, "north", (), (), (), 27, 0, "open").words
            'east joins with power 10'
        """
        if self.action == "remove":
            return f"{self.name} leaves"
        return f"{self.name} {'joins with' if self.action == 'add' else 'has'} power {self.power:,}"


def participants(ledger: _Read) -> list[Participant]:
    """All current and former institutions, ordered by name."""
    entries = ((key, cbor.decode(value)) for key, value in ledger.scan(INSTITUTIONS))
    return [
        Participant(name_of(key), one["power"], one["active"], (one["validator_key"] or b"").hex())
        for key, one in entries
    ]


def tolerated_failures(powers: Iterable[int]) -> int:
    """Number of institutions, whichever, that may be unavailable while the others have more than two thirds.

    Args:
        powers: Voting power of each institution.

    Example:
        >>> tolerated_failures([10, 10, 10, 10]), tolerated_failures([10, 10, 10]), tolerated_failures([1, 1, 1, 9])
        (1, 0, 0)
    """
    ordered = sorted(powers, reverse=True)
    total = sum(ordered)
    return sum(3 * (total - sum(ordered[: count + 1])) > 2 * total for count in range(len(ordered)))


def proposals(ledger: _Read) -> list[Proposal]:
    """All proposals, ordered by their end."""
    powers = {one.name: one.power for one in participants(ledger) if one.power}
    now = ledger.header().time
    found = [_proposal(key, cbor.decode(value), powers, now) for key, value in ledger.scan(PROPOSALS)]
    return sorted(found, key=lambda one: (one.until, one.id))


def _proposal(key: bytes, entry: dict[str, Any], powers: dict[str, int], now: int) -> Proposal:
    votes = entry["votes"]
    agreed, against = (tuple(sorted(name for name in votes if votes[name] is said)) for said in (True, False))
    outcome = entry["outcome"] or ("open" if now < entry["until"] else "expired")
    needed = 2 * sum(powers.values()) // 3 + 1
    missing = max(0, needed - sum(powers.get(name, 0) for name in agreed)) if outcome == "open" else 0
    return Proposal(
        id=name_of(key),
        action=entry["action"],
        name=entry["name"],
        power=entry["power"],
        institution=entry["institution"],
        agreed=agreed,
        against=against,
        silent=tuple(sorted(powers.keys() - votes.keys())),
        missing=missing,
        until=entry["until"],
        outcome=outcome,
    )


def addition(name: str, power: int, keys: Sequence[bytes], proofs: Sequence[bytes]) -> dict[str, Any]:
    """The body of a proposal that adds an institution.

    Args:
        name: The institution.
        power: Its voting power.
        keys: Transaction key and validator key.
        proofs: Signatures of both keys over `possession.joining`.
    """
    body = {"action": "add", "name": name, "power": power, "public_key": keys[0], "validator_key": keys[1]}
    return {**body, "public_key_proof": proofs[0], "validator_key_proof": proofs[1]}


def change(name: str, power: int | None) -> dict[str, Any]:
    """The body of a proposal that changes or removes an institution.

    Args:
        name: The institution.
        power: New voting power; None to remove it.

    Example:
        >>> change("east", None)["action"], change("east", 5)["power"]
        ('remove', 5)
    """
    return {"action": "remove" if power is None else "power", "name": name, "power": power or 0, **_OTHERS}


def propose(ledger: Ledger, signer: Signer, body: dict[str, Any]) -> Proposal:
    """Open a proposal, which includes the proposer's vote, and wait for its block.

    Args:
        ledger: The ledger.
        signer: Signs for an institution with voting power.
        body: From `addition` or `change`.

    Raises:
        Conflict: It changes nothing, the same proposal is open, or the ledger refuses it.
        NotFound: The institution is not on the ledger.
        LedgerUnavailable: The ledger does not answer; call again.
    """
    known = {one.name: one for one in participants(ledger) if one.active}
    _may_vote(known, signer.institution)
    _check_change(known, body)
    for one in _open(ledger):
        if (one.action, one.name, one.power) == (body["action"], body["name"], body["power"]):
            remedy = f"vote on it: xinglin ledger vote {one.id[:12]}"
            raise Conflict("this is already proposed", source=one.id, remedy=remedy)
    transaction = signer.sign("InstitutionPropose", body)
    submit_and_wait(ledger, transaction, "the proposal", _SEE)
    return _one(ledger, digest_of(transaction).hex())


def vote(ledger: Ledger, signer: Signer, named: str, approve: bool) -> Proposal:
    """Vote on a proposal and wait for the block; a later vote replaces an earlier one.

    Args:
        ledger: The ledger.
        signer: Signs for an institution with voting power.
        named: The proposal's id, or at least its first eight digits.
        approve: True for, false against.

    Raises:
        UsageError: The id is malformed or ambiguous.
        NotFound: There is no such proposal, or the own node is behind.
        Conflict: It is decided or expired, the same vote was cast before, or the ledger refuses.
        LedgerUnavailable: The ledger does not answer; call again.
    """
    _may_vote({one.name: one for one in participants(ledger)}, signer.institution)
    one = _one(ledger, named)
    if one.outcome != "open":
        raise Conflict(f"voting on this proposal has ended: it is {one.outcome}", source=one.id, remedy=_SEE)
    if signer.institution in (one.agreed if approve else one.against):
        raise Conflict(f"{signer.institution} has already cast this vote", source=one.id, remedy=_SEE)
    body = {"proposal": bytes.fromhex(one.id), "approve": approve}
    submit_and_wait(ledger, signer.sign("InstitutionVote", body), "the vote", _SEE)
    return _one(ledger, one.id)


def _open(ledger: _Read) -> list[Proposal]:
    return [one for one in proposals(ledger) if one.outcome == "open"]


def _one(ledger: _Read, named: str) -> Proposal:
    if not _ID.fullmatch(named):
        raise UsageError("the proposal id is invalid", source=named, remedy="give its first 8 to 64 hex digits")
    found = [one for one in proposals(ledger) if one.id.startswith(named)]
    if not found:
        ids = ", ".join(one.id[:12] for one in _open(ledger))
        remedy = f"open proposals: {ids}" if ids else "no proposal is open"
        # A node can be a moment or days behind the others.
        raise NotFound("this node has no such proposal yet", source=named, remedy=remedy, retry=True)
    if len(found) > 1:
        raise UsageError("more than one proposal has this id prefix", source=named, remedy="give more digits")
    return found[0]


def _may_vote(known: dict[str, Participant], name: str) -> None:
    if name not in known or not known[name].power:
        remedy = "let an institution with voting power do it: xinglin ledger status"
        raise Conflict("this institution has no voting power", source=name, remedy=remedy)


def _check_change(known: dict[str, Participant], body: dict[str, Any]) -> None:
    name, there = body["name"], known.get(body["name"])
    if body["action"] == "add":
        if there:
            remedy = "to change it: xinglin ledger propose NAME --power N"
            raise Conflict("this institution is already on the ledger", source=name, remedy=remedy)
        return
    if there is None:
        raise NotFound("the institution is not on the ledger", source=name, remedy=f"use one of {', '.join(known)}")
    if body["action"] == "power" and there.power == body["power"]:
        raise Conflict("the institution already has this power", source=name, remedy=_SEE)
    if not body["power"] and not any(one.power for one in known.values() if one is not there):
        raise Conflict("no institution would have voting power", source=name, remedy="give another one power first")
