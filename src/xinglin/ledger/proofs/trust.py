"""The trust configuration of a verifier, and the verification of a proof's anchor against it.

For a consortium ledger the genesis is enough: it names the validators, and an anchor is a block signed by more than two
thirds of their voting power. The genesis of an embedded ledger also names the key that signs checkpoints
(``checkpoint``) and its witnesses (``witnesses``). This is evidence against later changes, not consensus: the owner of
the checkpoint key can sign any state that does not contradict one that a witness has seen.
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
    """What a verifier trusts without proof.

    Args:
        chain_id: The chain id.
        keys: Institution and public key by key id, from the genesis.
        validators: Validators of the genesis; empty for an embedded ledger.
        checkpoint: The checkpoint key of an embedded ledger.
        witnesses: Keys of the trusted witnesses.
        quorum: Required number of cosignatures.
    """

    chain_id: str
    keys: dict[str, tuple[str, bytes]]
    validators: Validators
    checkpoint: Verifier | None = None
    witnesses: tuple[Verifier, ...] = ()
    quorum: int = 0

    @classmethod
    def from_json(cls, text: str | bytes) -> Trust:
        """Read a genesis: Xinglin's, or CometBFT's with Xinglin's as ``app_state``.

        Raises:
            BadInput: The text is not a genesis.
            VerificationFailed: A key in it is invalid.
        """
        try:
            document = json.loads(text)
            document = document.get("app_state", document)
            named = document.get("checkpoint")
            witnesses = tuple(Verifier.parse(one) for one in document.get("witnesses", ()))
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise BadInput("the genesis cannot be read", remedy="request the complete file from its sender") from error
        genesis = Genesis.from_json(json.dumps(document))
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
        """A copy with further witnesses and a required number of cosignatures.

        Raises:
            VerificationFailed: A key is not the key of a witness.
        """
        for key in witnesses:
            if key.kind != COSIGNATURE:
                raise VerificationFailed("this is not the key of a witness", source=key.name)
        known = (*self.witnesses, *(key for key in witnesses if key not in self.witnesses))
        return replace(self, witnesses=known, quorum=quorum)


@dataclass(frozen=True)
class Anchored:
    """A verified anchor.

    Args:
        height: Height of the block whose state it proves.
        time: Unix seconds at which that state existed.
        app_hash: App hash of that state.
        by: Who vouches for it, as text.
        size: Number of transactions in the log, if the anchor gives it.
        log_root: Root of the log, if the anchor gives it.
        state_root: Root of the state, if the anchor gives it.
    """

    height: int
    time: int
    app_hash: bytes
    by: str
    size: int | None = None
    log_root: bytes | None = None
    state_root: bytes | None = None


def register_in_genesis(path: Path, checkpoint: Verifier, witnesses: Sequence[Verifier] = ()) -> None:
    """Write the checkpoint key and the witnesses to the genesis of an embedded ledger.

    Args:
        path: The genesis file, which verifiers receive.
        checkpoint: The checkpoint key; an existing one is never replaced.
        witnesses: Keys to add.

    Raises:
        Conflict: The genesis names another checkpoint key.
    """
    document = json.loads(path.read_bytes())
    if document.get("checkpoint", checkpoint.text()) != checkpoint.text():
        remedy = "restore keys/checkpoint.key"
        raise Conflict("the genesis names another checkpoint key", source=str(path), remedy=remedy)
    watching = document.get("witnesses", [])
    named = [*watching, *(key.text() for key in witnesses if key.text() not in watching)]
    content = {**document, "checkpoint": checkpoint.text(), **({"witnesses": named} if named else {})}
    if content != document:
        write_atomic(path, (json.dumps(content, sort_keys=True, indent=1) + "\n").encode())


def note_anchor(note: Note, cosigners: Sequence[Verifier]) -> bytes:
    """Encode a signed checkpoint as an anchor.

    Args:
        note: The checkpoint.
        cosigners: Public keys of its cosignatures, so that every verifier can check them.
    """
    return cbor.encode({"checkpoint": str(note), "cosigners": [key.text() for key in cosigners]})


def commit_anchor(changes: Sequence[tuple[SignedHeader, Validators]], last: SignedHeader) -> bytes:
    """Encode blocks as an anchor.

    Args:
        changes: Blocks at which the validator set changed since the genesis, each with the next set.
        last: The block whose `app_hash` is the anchor.
    """
    steps = [[_plain(signed), [list(member) for member in following.members]] for signed, following in changes]
    return cbor.encode({"changes": steps, "block": _plain(last)})


def open_anchor(content: bytes, trust: Trust) -> Anchored:
    """Verify an anchor.

    Raises:
        VerificationFailed: The anchor is invalid.
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
        raise VerificationFailed("the time of the anchor is out of range")
    return opened


def _open_note(text: Any, cosigners: Any, trust: Trust) -> Anchored:
    if trust.checkpoint is None:
        raise VerificationFailed("the proof needs a checkpoint key, and the genesis names none")
    if type(text) is not str or type(cosigners) is not list or not all(type(one) is str for one in cosigners):
        raise VerificationFailed("the checkpoint of the anchor is malformed")
    named = [Verifier.parse(one) for one in cosigners]
    checkpoint, held = open_checkpoint(text, trust.checkpoint, named)
    # Every signature line must be valid, so that every change of a proof file is detected.
    if len(held) != len(named) or len(Note.parse(text).signatures) != len(named) + 1:
        raise VerificationFailed("the checkpoint has a signature line without a key")
    if any(key.kind != COSIGNATURE for key in named):
        raise VerificationFailed("the key of a cosigner is not the key of a witness")
    known = [key.name for key, _ in held if key in trust.witnesses]
    # A key with two names is one witness; the ledger's own key is not a witness.
    parties = {key.public_key for key, _ in held if key in trust.witnesses} - {trust.checkpoint.public_key}
    if len(parties) < trust.quorum:
        raise VerificationFailed(f"{len(parties)} of the known witnesses cosigned, {trust.quorum} are required")
    strangers = [f"{key.name} (unknown witness)" for key, _ in held if key not in trust.witnesses]
    watched = f", cosigned by {', '.join([*known, *strangers])}" if held else ", without cosignature"
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
        raise VerificationFailed("the proof needs validators, and the genesis names none")
    if type(changes) is not list or not all(type(one) is list and len(one) == 2 for one in changes):
        raise VerificationFailed("the changes of the validators are malformed")
    followed = [(_signed(signed), _members(members)) for signed, members in changes]
    last = _signed(block)
    behind = verify_chain(trust.validators, followed, last, trust.chain_id)
    total = (followed[-1][1] if followed else trust.validators).power
    words = f"{behind} of {total} of the voting power at height {last.header.height}"
    # A header holds the app hash after the previous block.
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
        raise VerificationFailed("the validators are malformed")
    return Validators(tuple((key, power) for key, power in (_list(one, (bytes, int)) for one in value)))


def _list(value: Any, types: tuple[type, ...]) -> list[Any]:
    right = type(value) is list and len(value) == len(types)
    if not right or any(type(one) is not kind for one, kind in zip(value, types, strict=True)):
        raise VerificationFailed("a block in the anchor is malformed")
    if any(kind is int and not -(2**62) < one < 2**62 for one, kind in zip(value, types, strict=True)):
        raise VerificationFailed("a number in the anchor is out of range")
    return list(value)
