"""Create proof files: an item, its link to the ledger, and an anchor that a third party can verify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from xinglin.core.errors import LedgerUnavailable, NotFound
from xinglin.ledger.keys import signing_key
from xinglin.ledger.port import Ledger
from xinglin.ledger.proofs.answers import signed_header_of, validators_of
from xinglin.ledger.proofs.check import FORMAT
from xinglin.ledger.proofs.checkpoint import Checkpoint, sign_checkpoint
from xinglin.ledger.proofs.light import SignedHeader, Validators, with_valid_votes_only
from xinglin.ledger.proofs.note import Note, Verifier
from xinglin.ledger.proofs.path import with_sides
from xinglin.ledger.proofs.trust import Trust, commit_anchor, note_anchor
from xinglin.ledger.state.pruning import StatePruned
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import open_envelope

__all__ = ["Anchor", "BlockAnchors", "CheckpointAnchors", "Prover", "checkpoint_of", "cosigners_of"]

_TRIES = 3


@dataclass(frozen=True)
class Anchor:
    """An anchor and its height.

    Args:
        height: Height of the block whose state is proved.
        content: Bytes of the anchor in a proof file.
    """

    height: int
    content: bytes


class Anchors(Protocol):
    """Creates the newest anchor of a ledger."""

    def newest(self, ledger: Ledger) -> Anchor:
        """The newest anchor."""


def checkpoint_of(ledger: Ledger) -> Checkpoint:
    """The current state of the ledger as an unsigned checkpoint."""
    last = ledger.header()
    return Checkpoint(ledger.chain_id, last.size, last.log_root, last.height, last.time, last.state_root)


@dataclass(frozen=True)
class CheckpointAnchors:
    """Anchors of an embedded ledger: its checkpoints.

    Args:
        key: Public checkpoint key.
        sign: Returns an Ed25519 signature of 64 bytes.
        cosigned: The newest cosigned checkpoint and the witnesses' keys; used while it is current.
    """

    key: Verifier
    sign: Callable[[bytes], bytes]
    cosigned: tuple[Note, tuple[Verifier, ...]] | None = None

    def newest(self, ledger: Ledger) -> Anchor:
        """The cosigned checkpoint if it is current, otherwise a newly signed one."""
        checkpoint = checkpoint_of(ledger)
        if self.cosigned and self.cosigned[0].text == checkpoint.text():
            return Anchor(checkpoint.height, note_anchor(*self.cosigned))
        return Anchor(checkpoint.height, note_anchor(sign_checkpoint(checkpoint, self.key, self.sign), ()))


@dataclass(frozen=True)
class BlockAnchors:
    """Anchors of a consortium ledger: blocks with their votes, from the own node.

    Args:
        call: Calls the node's RPC: method and parameters to result (`NodeClient.call`).
        trust: The genesis; start of the chain of validator sets.
    """

    call: Callable[..., Any]
    trust: Trust

    def newest(self, ledger: Ledger) -> Anchor:
        """The last block whose app hash the own store has, with the changes of the validator set up to it."""
        last = int(self.call("status")["sync_info"]["latest_block_height"])
        # The newest block may not be executed yet; its header holds the app hash of the previous block, which is.
        height = min(last, ledger.height() + 1)
        if height < 2:
            raise LedgerUnavailable(
                "the ledger has no block yet that a proof could use", source=self.trust.chain_id, retry=True
            )
        block = self._block(height)
        changes = self._changes(block)
        voting = changes[-1][1] if changes else self.trust.validators
        return Anchor(height - 1, commit_anchor(changes, with_valid_votes_only(block, voting)))

    def _changes(self, last: SignedHeader) -> list[tuple[SignedHeader, Validators]]:
        """Blocks at which the validator set changed, found by bisection."""
        changes: list[tuple[SignedHeader, Validators]] = []
        voting, low = self.trust.validators, 1
        trusted = voting.hash()
        while last.header.validators_hash != trusted:
            high = last.header.height
            while high - low > 1:
                middle = (low + high) // 2
                here = self._block(middle).header.validators_hash == trusted
                low, high = (middle, high) if here else (low, middle)
            signed, following = self._block(low), self._validators(low + 1)
            changes.append((with_valid_votes_only(signed, voting), following))
            voting = following
            trusted, low = signed.header.next_validators_hash, low + 1
        return changes

    def _block(self, height: int) -> SignedHeader:
        return signed_header_of(self.call("commit", height=str(height))["signed_header"])

    def _validators(self, height: int) -> Validators:
        found: list[Any] = []
        while True:
            page = self.call("validators", height=str(height), page=str(len(found) // 100 + 1), per_page="100")
            found += page["validators"]
            if len(found) >= int(page["total"]):
                return validators_of(found)


class Prover:
    """Creates proof files of one ledger with one anchor, as long as its state is available.

    Args:
        ledger: The ledger.
        anchors: Creates the anchor.
        trust: The reader's trust configuration; keys of the genesis need no proof.
    """

    def __init__(self, ledger: Ledger, anchors: Anchors, trust: Trust) -> None:
        self._ledger = ledger
        self._anchors = anchors
        self._trust = trust

    @cached_property
    def anchor(self) -> Anchor:
        """The anchor of all proofs of this prover."""
        return self._anchors.newest(self._ledger)

    def of_transaction(self, kind: str, item: dict[str, Any], digest: bytes) -> bytes:
        """Prove an item by a transaction in the log.

        Args:
            kind: Kind of the fact.
            item: The item, specific to the kind.
            digest: SHA-256 of the transaction.

        Raises:
            NotFound: The log of the anchor does not contain the transaction.
        """
        return self._anchored(lambda: self._of_transaction(kind, item, digest))

    def _of_transaction(self, kind: str, item: dict[str, Any], digest: bytes) -> bytes:
        height = self.anchor.height
        logged, header = self._ledger.transaction(digest), self._ledger.header(height)
        if logged is None or logged.index >= header.size:
            raise NotFound("the transaction is not on the ledger yet", source=digest.hex(), retry=True)
        proof = self._ledger.log_proof(digest, height)
        key_id, key = open_envelope(logged.transaction).key_id, None
        if key_id not in self._trust.keys:
            shown = self._ledger.state_proof(signing_key(key_id), height)
            key = [shown.value, list(shown.path)]
        place = {
            "transaction": logged.transaction,
            "path": with_sides(proof.index, proof.size, proof.path),
            "state_root": header.state_root,
            "key": key,
        }
        return self._file(kind, item, place)

    def of_state(self, kind: str, item: dict[str, Any], key: bytes) -> bytes:
        """Prove an item by an entry of the state, or by its absence.

        Args:
            kind: Kind of the fact.
            item: The item, specific to the kind.
            key: The state key.
        """
        return self._anchored(lambda: self._of_state(kind, item, key))

    def _anchored(self, make: Callable[[], bytes]) -> bytes:
        """Create a proof; retries with a newer anchor if the state of the current one was pruned."""
        for _ in range(_TRIES):
            try:
                return make()
            except StatePruned:
                self.__dict__.pop("anchor", None)
        return make()

    def _of_state(self, kind: str, item: dict[str, Any], key: bytes) -> bytes:
        height = self.anchor.height
        shown = self._ledger.state_proof(key, height)
        place = {
            "key": key,
            "value": shown.value,
            "path": list(shown.path),
            "other": None if shown.other is None else list(shown.other),
            "log_root": self._ledger.header(height).log_root,
        }
        return self._file(kind, item, place)

    def _file(self, kind: str, item: dict[str, Any], place: dict[str, Any]) -> bytes:
        return cbor.encode(
            {
                "format": FORMAT,
                "chain_id": self._ledger.chain_id,
                "kind": kind,
                "item": item,
                "ledger": place,
                "anchor": self.anchor.content,
            }
        )


def cosigners_of(note: Note, known: Sequence[Verifier]) -> tuple[Verifier, ...]:
    """The known keys that have a signature line on a note."""
    lines = {(one.name, one.key_id) for one in note.signatures}
    return tuple(key for key in known if (key.name, key.key_id) in lines)
