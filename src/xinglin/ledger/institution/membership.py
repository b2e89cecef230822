"""Who holds the ledger, what is proposed about that, and how an institution proposes and votes."""

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

_SEE = "see: xinglin ledger status"
_ID = re.compile(r"[0-9a-f]{8,64}")
_OTHERS = {"public_key": None, "validator_key": None, "public_key_proof": None, "validator_key_proof": None}


class _Read(Protocol):
    """What is needed of a ledger to look."""

    def header(self) -> Header:
        """The last block."""

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """State keys that begin with a prefix, and their values."""


@dataclass(frozen=True)
class Participant:
    """An institution on the ledger.

    Args:
        name: The institution.
        power: Its voting power.
        active: It has not left.
        validator_key: The key (hex) its node votes with; empty for none.
    """

    name: str
    power: int
    active: bool
    validator_key: str


@dataclass(frozen=True)
class Proposal:
    """What is proposed, and how the votes stand.

    Args:
        id: SHA-256 (hex) of the transaction that proposed it.
        action: ``add``, ``remove`` or ``power``.
        name: The institution it is about.
        power: What it would have.
        institution: Who proposed it.
        agreed: Who voted for it.
        against: Who voted against it.
        silent: Who has voting power and did not vote.
        missing: Voting power that has to agree still; 0 when it is decided.
        until: Unix seconds when its time is over.
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
        """What it would do.

        Example:
            >>> Proposal("00", "add", "east", 10, "north", (), (), (), 27, 0, "open").words
            'east joins with power 10'
        """
        if self.action == "remove":
            return f"{self.name} leaves"
        return f"{self.name} {'joins with' if self.action == 'add' else 'has'} power {self.power:,}"


def participants(ledger: _Read) -> list[Participant]:
    """Every institution that is or was on the ledger, by name."""
    entries = ((key, cbor.decode(value)) for key, value in ledger.scan(INSTITUTIONS))
    return [
        Participant(name_of(key), one["power"], one["active"], (one["validator_key"] or b"").hex())
        for key, one in entries
    ]


def tolerated_failures(powers: Iterable[int]) -> int:
    """How many institutions, whichever, may be away while the others still are more than two thirds.

    Args:
        powers: Voting power of each.

    Example:
        >>> tolerated_failures([10, 10, 10, 10]), tolerated_failures([10, 10, 10]), tolerated_failures([1, 1, 1, 9])
        (1, 0, 0)
    """
    ordered = sorted(powers, reverse=True)
    total = sum(ordered)
    return sum(3 * (total - sum(ordered[: count + 1])) > 2 * total for count in range(len(ordered)))


def proposals(ledger: _Read) -> list[Proposal]:
    """Every proposal that was ever made; those whose time is over first, the latest last."""
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
        keys: Of its transactions, and of its node's votes.
        proofs: Signatures by both over `possession.joining`.
    """
    body = {"action": "add", "name": name, "power": power, "public_key": keys[0], "validator_key": keys[1]}
    return {**body, "public_key_proof": proofs[0], "validator_key_proof": proofs[1]}


def change(name: str, power: int | None) -> dict[str, Any]:
    """The body of a proposal about an institution that is there.

    Args:
        name: The institution.
        power: What it is to have; None when it is to leave.

    Example:
        >>> change("east", None)["action"], change("east", 5)["power"]
        ('remove', 5)
    """
    return {"action": "remove" if power is None else "power", "name": name, "power": power or 0, **_OTHERS}


def propose(ledger: Ledger, signer: Signer, body: dict[str, Any]) -> Proposal:
    """Open a proposal, with the own vote for it, and wait until the ledger has it.

    Args:
        ledger: The ledger.
        signer: Signs for an institution that has voting power.
        body: From `addition` or `change`.

    Raises:
        Conflict: It changes nothing, the same is open already, or the ledger refuses.
        NotFound: No such institution is on the ledger.
        LedgerUnavailable: The ledger does not answer; call it again.
    """
    known = {one.name: one for one in participants(ledger) if one.active}
    _may_vote(known, signer.institution)
    _makes_sense(known, body)
    for one in _open(ledger):
        if (one.action, one.name, one.power) == (body["action"], body["name"], body["power"]):
            remedy = f"vote on it: xinglin ledger vote {one.id[:12]}"
            raise Conflict("the same is proposed already", source=one.id, remedy=remedy)
    transaction = signer.sign("InstitutionPropose", body)
    submit_and_wait(ledger, transaction, "the proposal", _SEE)
    return _one(ledger, digest_of(transaction).hex())


def vote(ledger: Ledger, signer: Signer, named: str, approve: bool) -> Proposal:
    """Vote on a proposal, and wait until the ledger has the vote; a later vote replaces an earlier one.

    Args:
        ledger: The ledger.
        signer: Signs for an institution that has voting power.
        named: The proposal's id, or at least its first eight digits.
        approve: For or against.

    Raises:
        UsageError: This names no proposal, or more than one.
        NotFound: There is no such proposal, or the own node is behind.
        Conflict: It is decided, its time is over, the vote was given before, or the ledger refuses.
        LedgerUnavailable: The ledger does not answer; call it again.
    """
    _may_vote({one.name: one for one in participants(ledger)}, signer.institution)
    one = _one(ledger, named)
    if one.outcome != "open":
        said = "its time is over" if one.outcome == "expired" else f"it is {one.outcome}"
        raise Conflict(f"nobody votes on this proposal any more: {said}", source=one.id, remedy=_SEE)
    if signer.institution in (one.agreed if approve else one.against):
        raise Conflict(f"{signer.institution} has voted so already", source=one.id, remedy=_SEE)
    body = {"proposal": bytes.fromhex(one.id), "approve": approve}
    submit_and_wait(ledger, signer.sign("InstitutionVote", body), "the vote", _SEE)
    return _one(ledger, one.id)


def _open(ledger: _Read) -> list[Proposal]:
    return [one for one in proposals(ledger) if one.outcome == "open"]


def _one(ledger: _Read, named: str) -> Proposal:
    if not _ID.fullmatch(named):
        raise UsageError("a proposal is named by its id, or by eight or more of its first digits", source=named)
    found = [one for one in proposals(ledger) if one.id.startswith(named)]
    if not found:
        ids = ", ".join(one.id[:12] for one in _open(ledger))
        remedy = f"open are: {ids}" if ids else "none is open"
        # A node hears of a block a moment after the others, or after days.
        raise NotFound("no such proposal has come here yet", source=named, remedy=remedy, retry=True)
    if len(found) > 1:
        raise UsageError("more than one proposal begins so", source=named, remedy="give more digits")
    return found[0]


def _may_vote(known: dict[str, Participant], name: str) -> None:
    if name not in known or not known[name].power:
        remedy = "an institution that has voting power proposes and votes; xinglin ledger status says which"
        raise Conflict("this institution has no voting power on the ledger", source=name, remedy=remedy)


def _makes_sense(known: dict[str, Participant], body: dict[str, Any]) -> None:
    name, there = body["name"], known.get(body["name"])
    if body["action"] == "add":
        if there:
            remedy = "to change it: xinglin ledger propose NAME --power N"
            raise Conflict("this institution is on the ledger already", source=name, remedy=remedy)
        return
    if there is None:
        raise NotFound("no such institution is on the ledger", source=name, remedy=f"these are: {', '.join(known)}")
    if body["action"] == "power" and there.power == body["power"]:
        raise Conflict("the institution has this power already", source=name, remedy=_SEE)
    if not body["power"] and not any(one.power for one in known.values() if one is not there):
        raise Conflict("somebody has to hold the ledger", source=name, remedy="let another have voting power first")
