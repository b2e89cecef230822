"""Rules for members: founders, proposals, votes by voting power, double signing."""

from __future__ import annotations

import hashlib

from xinglin.ledger.codes import Code
from xinglin.ledger.keys import CHAIN, INSTITUTIONS, PROPOSALS, institution_key, name_of, proposal_key, signing_key
from xinglin.ledger.state.genesis import Founder, Genesis
from xinglin.ledger.state.rules.admission import Context
from xinglin.ledger.state.rules.keys import must_be_new, register, register_validator
from xinglin.ledger.state.view import Entry, View
from xinglin.ledger.transactions.bodies import InstitutionPropose, InstitutionVote
from xinglin.ledger.transactions.envelope import DAY, Refused

__all__ = ["apply_genesis", "propose", "record_double_signing", "validators", "vote"]

_OPEN_FOR = 30 * DAY


def apply_genesis(view: View, genesis: Genesis) -> None:
    """Write the genesis to the state."""
    view.put(CHAIN, {"chain_id": genesis.chain_id, "time": genesis.time})
    for founder in genesis.institutions:
        _join(view, founder)


def _join(view: View, new: Founder) -> None:
    key_id = register(view, new.name, new.public_key)
    if new.validator_key is not None:
        register_validator(view, new.name, new.validator_key)
    entry = {"active": True, "keys": [key_id], "power": new.power, "validator_key": new.validator_key}
    view.put(institution_key(new.name), entry)


def _powers(view: View) -> dict[str, int]:
    return {name_of(key): entry["power"] for key, entry in view.entries(INSTITUTIONS)}


def validators(view: View) -> dict[bytes, int]:
    """Voting power by validator key, for institutions with both."""
    entries = [entry for _, entry in view.entries(INSTITUTIONS)]
    return {entry["validator_key"]: entry["power"] for entry in entries if entry["validator_key"] and entry["power"]}


def propose(view: View, body: InstitutionPropose, context: Context) -> None:
    """InstitutionPropose: opens a proposal, with the proposer's vote; all keys must be new."""
    _check_change(view, body)
    entry: Entry = {
        "institution": context.institution,
        "action": body.action,
        "name": body.name,
        "public_key": body.public_key,
        "validator_key": body.validator_key,
        "power": body.power,
        "until": context.time + _OPEN_FOR,
        "votes": {},
        "outcome": None,
    }
    _count(view, context.digest, entry, context.institution, True)


def vote(view: View, body: InstitutionVote, context: Context) -> None:
    """InstitutionVote: adds a vote; the proposal takes effect with more than two thirds of the voting power."""
    entry = view.get(proposal_key(body.proposal))
    if entry is None:
        raise Refused(Code.UNKNOWN_PROPOSAL)
    if entry["outcome"] is not None or context.time >= entry["until"]:
        raise Refused(Code.CLOSED_PROPOSAL)
    _count(view, body.proposal, entry, context.institution, body.approve)


def _count(view: View, proposal: bytes, entry: Entry, voter: str, approve: bool) -> None:
    powers = _powers(view)
    if not powers.get(voter):
        raise Refused(Code.NO_POWER)
    votes = {**entry["votes"], voter: approve}
    total = sum(powers.values())
    agreed = sum(power for name, power in powers.items() if votes.get(name) is True)
    against = sum(power for name, power in powers.items() if votes.get(name) is False)
    outcome = None
    if 3 * agreed > 2 * total:
        outcome = "accepted"
        _take_effect(view, entry)
    elif 3 * (total - against) <= 2 * total:
        outcome = "rejected"
    view.put(proposal_key(proposal), {**entry, "votes": votes, "outcome": outcome})


def _check_change(view: View, body: InstitutionPropose) -> None:
    there = view.get(institution_key(body.name))
    active = there is not None and there["active"]
    if (body.action == "add") == active:
        raise Refused(Code.NO_CHANGE)
    if body.action == "power" and there is not None and there["power"] == body.power:
        raise Refused(Code.NO_CHANGE)
    for key in (body.public_key, body.validator_key):
        if key is not None:
            must_be_new(view, key)


def _take_effect(view: View, entry: Entry) -> None:
    # Possession of the keys was proved by the proposal.
    said = {name: entry[name] for name in ("action", "name", "public_key", "validator_key", "power")}
    body = InstitutionPropose(**said, public_key_proof=None, validator_key_proof=None)
    # Another proposal may have been accepted in the meantime.
    _check_change(view, body)
    # A chain with validators keeps at least one; an embedded ledger has none.
    validated = bool(validators(view))
    where = institution_key(body.name)
    if body.action == "add" and body.public_key is not None:
        _join(view, Founder(body.name, body.public_key, body.validator_key, body.power))
    else:
        there = view.get(where) or {}
        view.put(where, {**there, "power": body.power})
    if body.action == "remove":
        _leave(view, where)
    if not any(_powers(view).values()) or (validated and not validators(view)):
        raise Refused(Code.POWERLESS_CHAIN)


def _leave(view: View, where: bytes) -> None:
    there = view.get(where) or {}
    for key_id in there["keys"]:
        key = view.get(signing_key(key_id)) or {}
        view.put(signing_key(key_id), {**key, "revoked": True})
    view.put(where, {**there, "active": False, "keys": [], "validator_key": None})
    _forget_votes(view, name_of(where))


def _forget_votes(view: View, name: str) -> None:
    """Delete the open votes of a removed institution, so that a successor with its name starts without votes."""
    for where, proposal in view.entries(PROPOSALS):
        if proposal["outcome"] is None and name in proposal["votes"]:
            votes = {voter: said for voter, said in proposal["votes"].items() if voter != name}
            view.put(where, {**proposal, "votes": votes})


def record_double_signing(view: View, address: bytes) -> None:
    """Remove the voting power of a validator that signed two blocks at one height.

    Args:
        view: The state.
        address: CometBFT address: the first 20 bytes of the SHA-256 of its key. An unknown validator, and the last one
            with voting power, is ignored: without it the chain would stop.
    """
    total = sum(validators(view).values())
    for where, entry in view.entries(INSTITUTIONS):
        key = entry["validator_key"]
        if key is not None and hashlib.sha256(key).digest()[:20] == address and entry["power"] < total:
            view.put(where, {**entry, "power": 0})
