"""Checkpoints: signed states of the ledger, in the format C2SP tlog-checkpoint v1.

The origin is the chain id. One extension line adds the state::

    region.example
    2
    pn8ACJ+fxRF7WU5nFFZBgVmBNdRsLKFXVE6lHxcDtp0=
    xinglin 7 1780000000 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

It holds the height, the time of the last block in Unix seconds, and the state root.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xinglin.core.errors import VerificationFailed
from xinglin.ledger.proofs.note import COSIGNATURE, Note, Signature, Verifier, base64_bytes, open_note, sign_note

__all__ = ["Checkpoint", "app_hash", "cosign", "open_checkpoint", "sign_checkpoint"]

_APP = b"xinglin app 1\x00"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch


def app_hash(log_root: bytes, state_root: bytes) -> bytes:
    """The app hash: SHA-256 over log root and state root, without height and time."""
    return hashlib.sha256(_APP + log_root + state_root).digest()


@dataclass(frozen=True)
class Checkpoint:
    """The ledger at one height.

    Args:
        origin: The chain id.
        size: Number of transactions in the log.
        root: RFC 6962 root of the log.
        height: Height of the last block.
        time: Time of the last block, Unix seconds.
        state_root: Root of the state.

    Example:
        >>> one = Checkpoint("region.example", 2, bytes(32), 7, 1_780_000_000, bytes(32))
        >>> Checkpoint.parse(one.text()) == one
        True
    """

    origin: str
    size: int
    root: bytes
    height: int
    time: int
    state_root: bytes

    @property
    def app_hash(self) -> bytes:
        """The app hash at this height."""
        return app_hash(self.root, self.state_root)

    def text(self) -> str:
        """The signed text."""
        root, state = (base64.b64encode(one).decode() for one in (self.root, self.state_root))
        return f"{self.origin}\n{self.size}\n{root}\nxinglin {self.height} {self.time} {state}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Parse the text of a note.

        Raises:
            VerificationFailed: The text is not a checkpoint of this ledger.
        """
        lines = text.split("\n")
        if len(lines) != 5 or not lines[0] or lines[4]:
            raise VerificationFailed("the note is not a checkpoint of this ledger")
        mark, *numbers, state = lines[3].split(" ")
        if mark != "xinglin" or len(numbers) != 2 or not all(_NUMBER(one) for one in (lines[1], *numbers)):
            raise VerificationFailed("size, height, time or state of the checkpoint is malformed")
        roots = [base64_bytes(one, "a root in the checkpoint") for one in (lines[2], state)]
        if any(len(one) != 32 for one in roots):
            raise VerificationFailed("a root in the checkpoint does not have 32 bytes")
        return cls(lines[0], int(lines[1]), roots[0], int(numbers[0]), int(numbers[1]), roots[1])


def sign_checkpoint(checkpoint: Checkpoint, key: Verifier, sign: Callable[[bytes], bytes]) -> Note:
    """Sign a checkpoint with the ledger's checkpoint key.

    Args:
        checkpoint: The checkpoint.
        key: Public checkpoint key; its name is the origin.
        sign: Returns an Ed25519 signature of 64 bytes.
    """
    text = checkpoint.text()
    return Note(text, (sign_note(text, key, sign),))


def cosign(note: Note, key: Verifier, sign: Callable[[bytes], bytes], time: int) -> Note:
    """Add a witness's cosignature: this is the newest state of an append-only log.

    Args:
        note: A verified checkpoint.
        key: Public key of the witness, of kind `COSIGNATURE`.
        sign: Returns an Ed25519 signature of 64 bytes.
        time: The current time, Unix seconds.
    """
    if key.kind != COSIGNATURE:
        raise ValueError("the key of a witness must be of kind COSIGNATURE")
    others = tuple(one for one in note.signatures if (one.name, one.key_id) != (key.name, key.key_id))
    return Note(note.text, (*others, sign_note(note.text, key, sign, time)))


def open_checkpoint(
    content: str | bytes, log: Verifier, witnesses: Sequence[Verifier] = ()
) -> tuple[Checkpoint, list[tuple[Verifier, Signature]]]:
    """Verify a signed checkpoint.

    Args:
        content: The note.
        log: The ledger's checkpoint key; its signature is required.
        witnesses: Keys of known witnesses.

    Returns:
        The checkpoint and its cosignatures by known witnesses.

    Raises:
        VerificationFailed: The ledger's signature is missing, a signature is invalid, or the chain is another one.
    """
    note = Note.parse(content)
    held = open_note(note, [log, *witnesses])
    if all(key != log for key, _ in held):
        raise VerificationFailed("the checkpoint is not signed by the ledger's checkpoint key", source=log.name)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise VerificationFailed("the checkpoint belongs to another chain", source=checkpoint.origin)
    return checkpoint, [(key, signature) for key, signature in held if key != log]
