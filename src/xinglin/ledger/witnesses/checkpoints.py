"""The checkpoint store of an embedded ledger: signs checkpoints, requests cosignatures, stores cosigned ones.

| file | holds |
|---|---|
| ``keys/checkpoint.key`` | the seed of the checkpoint key, in hex (mode 600) |
| ``ledger/genesis.json`` | the genesis, with the checkpoint key and the witnesses |
| ``ledger/cosigned.note`` | the newest cosigned checkpoint |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xinglin.core.errors import Conflict, VerificationFailed
from xinglin.core.files import first_private_file, write_atomic
from xinglin.ledger.port import Ledger
from xinglin.ledger.proofs.checkpoint import open_checkpoint, sign_checkpoint
from xinglin.ledger.proofs.make import CheckpointAnchors, checkpoint_of, cosigners_of
from xinglin.ledger.proofs.note import Note, Verifier
from xinglin.ledger.proofs.trust import Trust, register_in_genesis
from xinglin.ledger.witnesses.witness import Request

__all__ = ["CheckpointStore"]


class CheckpointStore:
    """Signs and stores the checkpoints of one ledger.

    Args:
        folder: The ledger's folder.
        key: File of the checkpoint key; created if missing.
        chain_id: The chain id, which is the name of the key.

    Raises:
        Conflict: The genesis names another checkpoint key.
    """

    def __init__(self, folder: Path, key: Path, chain_id: str) -> None:
        from nacl.signing import SigningKey

        seed = first_private_file(key, bytes(SigningKey.generate()).hex().encode() + b"\n")
        self._secret = SigningKey(bytes.fromhex(seed.decode().strip()))
        self._folder = folder
        self.key = Verifier(chain_id, bytes(self._secret.verify_key))
        register_in_genesis(self.genesis, self.key)

    @property
    def genesis(self) -> Path:
        """The genesis file, which verifiers of proofs receive."""
        return self._folder / "genesis.json"

    @property
    def trust(self) -> Trust:
        """The trust configuration in the genesis."""
        return Trust.from_json(self.genesis.read_bytes())

    def sign(self, text: bytes) -> bytes:
        """An Ed25519 signature of 64 bytes."""
        return self._secret.sign(text).signature

    def anchors(self) -> CheckpointAnchors:
        """Anchors for proofs; use the cosigned checkpoint while it is current."""
        note = self._cosigned()
        kept = (note, cosigners_of(note, self.trust.witnesses)) if note else None
        return CheckpointAnchors(self.key, self.sign, kept)

    def request(self, ledger: Ledger, since: int | None = None) -> Request:
        """A request to a witness: the current checkpoint with a consistency proof.

        Args:
            ledger: The ledger.
            since: Size of the log that the witness cosigned last; by default that of the stored checkpoint.
        """
        checkpoint = checkpoint_of(ledger)
        note = self._cosigned()
        if since is None:
            since = open_checkpoint(str(note), self.key)[0].size if note else 0
        proof = ledger.consistency_proof(since, checkpoint.size).path if since else ()
        return Request(since, proof, sign_checkpoint(checkpoint, self.key, self.sign))

    def take(self, note: Note, witnesses: Sequence[Verifier] = ()) -> list[str]:
        """Verify and store a checkpoint that a witness cosigned.

        Args:
            note: The cosigned checkpoint.
            witnesses: Keys of new witnesses, which are added to the genesis.

        Returns:
            Names of the witnesses that cosigned it.

        Raises:
            VerificationFailed: The checkpoint is not the ledger's, or no known witness cosigned it.
            Conflict: A newer checkpoint is stored.
        """
        known = (*self.trust.witnesses, *witnesses)
        checkpoint, held = open_checkpoint(str(note), self.key, known)
        if not held:
            raise VerificationFailed("no known witness cosigned this checkpoint", remedy="name its key with --witness")
        kept = self._cosigned()
        before = open_checkpoint(str(kept), self.key)[0] if kept else None
        if before and (before.size, before.height) > (checkpoint.size, checkpoint.height):
            raise Conflict("a newer checkpoint is stored already", source=f"{before.size} entries")
        same = kept.signatures if kept and kept.text == note.text else ()
        lines = (*note.signatures, *(one for one in same if one.name not in {line.name for line in note.signatures}))
        named = cosigners_of(Note(note.text, lines), known)
        # Lines of unknown keys are dropped, so that everything in a proof file is verified.
        kept_lines = tuple(one for one in lines if one.name in {self.key.name, *(key.name for key in named)})
        register_in_genesis(self.genesis, self.key, witnesses)
        write_atomic(self._folder / "cosigned.note", str(Note(note.text, kept_lines)).encode())
        return [key.name for key in named]

    def _cosigned(self) -> Note | None:
        path = self._folder / "cosigned.note"
        return Note.parse(path.read_bytes()) if path.is_file() else None
