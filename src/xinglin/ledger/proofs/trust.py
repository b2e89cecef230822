"""What a stranger is told once, and whether a proof's anchor follows from it.

Of a ledger between institutions the genesis is enough: it names the validators, and an anchor is a block that more
than two thirds of them signed. Of the ledger of one machine the genesis also names the key that signs checkpoints
(``checkpoint``) and the witnesses that watch it (``witnesses``). That is evidence against changes made later, not
consensus: whoever holds the checkpoint key can sign anything that no witness has seen contradicted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xinglin.core.errors import BadInput, Conflict, VerificationFailed
from xinglin.core.files import write_atomic
from xinglin.ledger.proofs.checkpoint import open_checkpoint
from xinglin.ledger.proofs.light import BlockId, Header, SignedHeader, Validators, Vote, verify_chain
from xinglin.ledger.proofs.note import COSIGNATURE, Note, Verifier
from xinglin.ledger.state.genesis import Genesis
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import key_id_of

__all__ = ["Anchored", "Trust", "commit_anchor", "note_anchor", "open_anchor", "register_in_genesis"]

_HASHES = 9
_LAST_SECOND = 253_402_300_799
_HEADER = (int, int, str, int, int, int, bytes, int, bytes, *(bytes,) * _HASHES)
_SIGNED = (list, int, int, bytes, list)


@dataclass(frozen=True)
class Trust:
    """What is believed without proof.

    Args:
        chain_id: Name of the chain.
        keys: Institution and public key by key id, as the chain began.
        validators: Who signs blocks, as the chain began; nobody on one machine.
        checkpoint: The key that signs checkpoints of a ledger on one machine.
        witnesses: Keys of the witnesses whose cosignatures count.
        quorum: How many of them must have cosigned.
    """

    chain_id: str
    keys: dict[str, tuple[str, bytes]]
    validators: Validators
    checkpoint: Verifier | None = None
    witnesses: tuple[Verifier, ...] = ()
    quorum: int = 0

    @classmethod
    def from_json(cls, text: str | bytes) -> Trust:
        """Read a genesis: Xinglin's own, or that of a CometBFT chain, which holds it as ``app_state``.

        Raises:
            BadInput: It is none.
            VerificationFailed: A key in it is none.
        """
        try:
            told = json.loads(text)
            told = told.get("app_state", told)
            named = told.get("checkpoint")
            witnesses = tuple(Verifier.parse(one) for one in told.get("witnesses", ()))
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise BadInput("the genesis cannot be read", remedy="ask the one who gave it for the whole file") from error
        genesis = Genesis.from_json(json.dumps(told))
        members = genesis.institutions
        voting = [(one.validator_key, one.power) for one in members if one.validator_key and one.power]
        return cls(
            chain_id=genesis.chain_id,
            keys={key_id_of(one.public_key): (one.name, one.public_key) for one in members},
            validators=Validators.of((key, power) for key, power in voting),
            checkpoint=Verifier.parse(named) if named else None,
            witnesses=witnesses,
        )

    def requiring(self, witnesses: Sequence[Verifier], quorum: int) -> Trust:
        """The same, with further witnesses, so many of whom must have cosigned.

        Raises:
            VerificationFailed: A key is not that of a witness.
        """
        for key in witnesses:
            if key.kind != COSIGNATURE:
                raise VerificationFailed("this is not the key of a witness", source=key.name)
        known = (*self.witnesses, *(key for key in witnesses if key not in self.witnesses))
        return replace(self, witnesses=known, quorum=quorum)


@dataclass(frozen=True)
class Anchored:
    """What an anchor stands for, once it is believed.

    Args:
        height: The block after which it holds.
        time: Unix seconds: it was so by then.
        app_hash: What the ledger was.
        by: Who says so, in words.
        size: Transactions in the log, where the anchor says it.
        log_root: Root of the log, where the anchor says it.
        state_root: Root of the state, where the anchor says it.
    """

    height: int
    time: int
    app_hash: bytes
    by: str
    size: int | None = None
    log_root: bytes | None = None
    state_root: bytes | None = None


def register_in_genesis(path: Path, checkpoint: Verifier, witnesses: Sequence[Verifier] = ()) -> None:
    """Say in the genesis of a ledger on one machine which key signs its checkpoints, and who watches it.

    Args:
        path: The genesis, which is handed to whoever checks proofs.
        checkpoint: The checkpoint key; never replaced by another.
        witnesses: Keys to add.

    Raises:
        Conflict: Another checkpoint key is named.
    """
    told = json.loads(path.read_bytes())
    if told.get("checkpoint", checkpoint.text()) != checkpoint.text():
        remedy = "restore keys/checkpoint.key"
        raise Conflict("the genesis names another checkpoint key", source=str(path), remedy=remedy)
    watching = told.get("witnesses", [])
    named = [*watching, *(key.text() for key in witnesses if key.text() not in watching)]
    content = {**told, "checkpoint": checkpoint.text(), **({"witnesses": named} if named else {})}
    if content != told:
        write_atomic(path, (json.dumps(content, sort_keys=True, indent=1) + "\n").encode())


def note_anchor(note: Note, cosigners: Sequence[Verifier]) -> bytes:
    """The anchor of a proof out of a signed checkpoint.

    Args:
        note: The checkpoint.
        cosigners: The public keys behind its cosignatures, so that whoever knows none of them can check them too.
    """
    return cbor.encode({"checkpoint": str(note), "cosigners": [key.text() for key in cosigners]})


def commit_anchor(changes: Sequence[tuple[SignedHeader, Validators]], last: SignedHeader) -> bytes:
    """The anchor of a proof out of blocks.

    Args:
        changes: The blocks at which the validators changed since the genesis, and who followed.
        last: The block whose `app_hash` is proved against.
    """
    steps = [[_plain(signed), [list(member) for member in following.members]] for signed, following in changes]
    return cbor.encode({"changes": steps, "block": _plain(last)})


def open_anchor(content: bytes, trust: Trust) -> Anchored:
    """Check an anchor against what is believed.

    Raises:
        VerificationFailed: It does not follow.
    """
    try:
        anchor = cbor.decode(content)
    except ValueError as error:
        raise VerificationFailed("the anchor is not canonical CBOR") from error
    if type(anchor) is dict and anchor.keys() == {"checkpoint", "cosigners"}:
        opened = _open_note(anchor["checkpoint"], anchor["cosigners"], trust)
    elif type(anchor) is dict and anchor.keys() == {"changes", "block"}:
        opened = _open_commit(anchor["changes"], anchor["block"], trust)
    else:
        raise VerificationFailed("the anchor is neither a checkpoint nor a block")
    if not 0 <= opened.time <= _LAST_SECOND:
        raise VerificationFailed("the anchor's time is in no year that there is")
    return opened


def _open_note(text: Any, cosigners: Any, trust: Trust) -> Anchored:
    if trust.checkpoint is None:
        raise VerificationFailed("the genesis names no checkpoint key, and the proof ends in a checkpoint")
    if type(text) is not str or type(cosigners) is not list or not all(type(one) is str for one in cosigners):
        raise VerificationFailed("the anchor is not of the form of a checkpoint")
    named = [Verifier.parse(one) for one in cosigners]
    checkpoint, held = open_checkpoint(text, trust.checkpoint, named)
    # Every line must hold, so that nothing in a proof file can be changed without a word.
    if len(held) != len(named) or len(Note.parse(text).signatures) != len(named) + 1:
        raise VerificationFailed("the checkpoint carries a line that nobody named answers for")
    if any(key.kind != COSIGNATURE for key in named):
        raise VerificationFailed("a cosigner's key is not that of a witness")
    known = [key.name for key, _ in held if key in trust.witnesses]
    # One key under two names is one witness, and the ledger's own key under any name is none.
    parties = {key.public_key for key, _ in held if key in trust.witnesses} - {trust.checkpoint.public_key}
    if len(parties) < trust.quorum:
        raise VerificationFailed(f"{len(parties)} of the known witnesses cosigned, and {trust.quorum} are asked for")
    strangers = [f"{key.name} (not known to you)" for key, _ in held if key not in trust.witnesses]
    watched = f", cosigned by {', '.join([*known, *strangers])}" if held else ", cosigned by nobody"
    return Anchored(
        checkpoint.height,
        checkpoint.time,
        checkpoint.app_hash,
        f"the checkpoint key of {trust.chain_id}{watched}",
        checkpoint.size,
        checkpoint.root,
        checkpoint.state_root,
    )


def _open_commit(changes: Any, block: Any, trust: Trust) -> Anchored:
    if not trust.validators.members:
        raise VerificationFailed("the genesis names no validators, and the proof ends in a block")
    if type(changes) is not list or not all(type(one) is list and len(one) == 2 for one in changes):
        raise VerificationFailed("the changes of the validators are not of their form")
    followed = [(_signed(signed), _members(members)) for signed, members in changes]
    last = _signed(block)
    behind = verify_chain(trust.validators, followed, last, trust.chain_id)
    total = (followed[-1][1] if followed else trust.validators).power
    words = f"{behind} of {total} of the voting power at height {last.header.height}"
    # A block carries what the ledger was after the block before it.
    return Anchored(last.header.height - 1, last.header.time[0], last.header.app_hash, words)


def _plain(signed: SignedHeader) -> list[Any]:
    one = signed.header
    header = [
        *one.version, one.chain_id, one.height, *one.time,
        one.last_block.hash, one.last_block.parts, one.last_block.parts_hash,
        one.last_commit_hash, one.data_hash, one.validators_hash, one.next_validators_hash, one.consensus_hash,
        one.app_hash, one.last_results_hash, one.evidence_hash, one.proposer,
    ]  # fmt: skip
    votes = [[vote.validator, *vote.time, vote.signature] for vote in signed.votes]
    return [header, signed.round, signed.parts, signed.parts_hash, votes]


def _signed(value: Any) -> SignedHeader:
    header, round_, parts, parts_hash, votes = _list(value, _SIGNED)
    block, app, chain, height, seconds, nanos, last, last_parts, last_hash, *hashes = _list(header, _HEADER)
    read = tuple(_list(vote, (bytes, int, int, bytes)) for vote in votes)
    return SignedHeader(
        Header((block, app), chain, height, (seconds, nanos), BlockId(last, last_parts, last_hash), *hashes),
        round_,
        parts,
        parts_hash,
        tuple(Vote(validator, (moment, part), signature) for validator, moment, part, signature in read),
    )


def _members(value: Any) -> Validators:
    if type(value) is not list:
        raise VerificationFailed("the validators are not of their form")
    return Validators(tuple((key, power) for key, power in (_list(one, (bytes, int)) for one in value)))


def _list(value: Any, types: tuple[type, ...]) -> list[Any]:
    right = type(value) is list and len(value) == len(types)
    if not right or any(type(one) is not kind for one, kind in zip(value, types, strict=True)):
        raise VerificationFailed("a block in the anchor is not of its form")
    if any(kind is int and not -(2**62) < one < 2**62 for one, kind in zip(value, types, strict=True)):
        raise VerificationFailed("a number in the anchor is out of range")
    return list(value)
