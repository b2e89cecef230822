"""The checkpoints of a ledger on one machine: signed under its own key, sent to witnesses, kept when they cosigned.

| file | holds |
|---|---|
| ``keys/checkpoint.key`` | the seed of the checkpoint key, in hex (mode 600) |
| ``ledger/genesis.json`` | the genesis, with the checkpoint key and the witnesses that watch it |
| ``ledger/cosigned.note`` | the newest checkpoint that a witness cosigned |
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
    """Signs checkpoints of one ledger.

    Args:
        folder: The ledger's folder.
        key: File of the checkpoint key, made when there is none.
        chain_id: Name of the chain, under which checkpoints are signed.

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
        """What is handed to whoever checks proofs."""
        return self._folder / "genesis.json"

    @property
    def trust(self) -> Trust:
        """What the genesis says."""
        return Trust.from_json(self.genesis.read_bytes())

    def sign(self, text: bytes) -> bytes:
        """An Ed25519 signature of 64 bytes."""
        return self._secret.sign(text).signature

    def anchors(self) -> CheckpointAnchors:
        """Anchors for proofs: the cosigned checkpoint where nothing came after it."""
        note = self._cosigned()
        kept = (note, cosigners_of(note, self.trust.witnesses)) if note else None
        return CheckpointAnchors(self.key, self.sign, kept)

    def request(self, ledger: Ledger, since: int | None = None) -> Request:
        """A checkpoint of now, with the proof that it continues what a witness cosigned.

        Args:
            ledger: The ledger.
            since: Size of the log that the witness has seen; that of the last cosigned checkpoint when not given.
        """
        checkpoint = checkpoint_of(ledger)
        note = self._cosigned()
        if since is None:
            since = open_checkpoint(str(note), self.key)[0].size if note else 0
        proof = ledger.consistency_proof(since, checkpoint.size).path if since else ()
        return Request(since, proof, sign_checkpoint(checkpoint, self.key, self.sign))

    def take(self, note: Note, witnesses: Sequence[Verifier] = ()) -> list[str]:
        """Keep a checkpoint that came back from a witness.

        Args:
            note: What the witness gave.
            witnesses: Keys of witnesses that are new; they are named in the genesis from now on.

        Returns:
            Names of those who cosigned it.

        Raises:
            VerificationFailed: It is not the ledger's, or no known witness cosigned it.
            Conflict: A newer one is kept.
        """
        known = (*self.trust.witnesses, *witnesses)
        checkpoint, held = open_checkpoint(str(note), self.key, known)
        if not held:
            raise VerificationFailed("no known witness cosigned this checkpoint", remedy="name its key with --witness")
        kept = self._cosigned()
        before = open_checkpoint(str(kept), self.key)[0] if kept else None
        if before and (before.size, before.height) > (checkpoint.size, checkpoint.height):
            raise Conflict("a newer checkpoint is kept already", source=f"{before.size} entries")
        same = kept.signatures if kept and kept.text == note.text else ()
        lines = (*note.signatures, *(one for one in same if one.name not in {line.name for line in note.signatures}))
        named = cosigners_of(Note(note.text, lines), known)
        # Lines of strangers are left out, so that everything in a proof file is checked.
        kept_lines = tuple(one for one in lines if one.name in {self.key.name, *(key.name for key in named)})
        register_in_genesis(self.genesis, self.key, witnesses)
        write_atomic(self._folder / "cosigned.note", str(Note(note.text, kept_lines)).encode())
        return [key.name for key in named]

    def _cosigned(self) -> Note | None:
        path = self._folder / "cosigned.note"
        return Note.parse(path.read_bytes()) if path.is_file() else None
