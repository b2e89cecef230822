"""Checkpoints: what the ledger was at one moment, signed, in the form of C2SP tlog-checkpoint v1.

The origin is the chain's name. One extension line carries what the log alone does not say::

    region.example
    2
    pn8ACJ+fxRF7WU5nFFZBgVmBNdRsLKFXVE6lHxcDtp0=
    xinglin 7 1780000000 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

with the height, the time of the last block in Unix seconds and the root of the state.
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
    """What a height of the ledger is known by: its log and its state, never height or time."""
    return hashlib.sha256(_APP + log_root + state_root).digest()


@dataclass(frozen=True)
class Checkpoint:
    """The ledger at one height.

    Args:
        origin: Name of the chain.
        size: Transactions in the log.
        root: RFC 6962 root over them.
        height: Height of the last block.
        time: Its time in Unix seconds.
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
        """The ledger's hash at this height."""
        return app_hash(self.root, self.state_root)

    def text(self) -> str:
        """The text that is signed."""
        root, state = (base64.b64encode(one).decode() for one in (self.root, self.state_root))
        return f"{self.origin}\n{self.size}\n{root}\nxinglin {self.height} {self.time} {state}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note as a checkpoint of this ledger.

        Raises:
            VerificationFailed: It is something else.
        """
        lines = text.split("\n")
        if len(lines) != 5 or not lines[0] or lines[4]:
            raise VerificationFailed("the note is no checkpoint of this ledger")
        mark, *numbers, state = lines[3].split(" ")
        if mark != "xinglin" or len(numbers) != 2 or not all(_NUMBER(one) for one in (lines[1], *numbers)):
            raise VerificationFailed("the checkpoint does not say size, height, time and state as it should")
        roots = [base64_bytes(one, "a root in the checkpoint") for one in (lines[2], state)]
        if any(len(one) != 32 for one in roots):
            raise VerificationFailed("a root in the checkpoint has not 32 bytes")
        return cls(lines[0], int(lines[1]), roots[0], int(numbers[0]), int(numbers[1]), roots[1])


def sign_checkpoint(checkpoint: Checkpoint, key: Verifier, sign: Callable[[bytes], bytes]) -> Note:
    """The checkpoint with the ledger's own signature.

    Args:
        checkpoint: What is signed.
        key: Public half of the checkpoint key; its name is the origin.
        sign: Gives an Ed25519 signature of 64 bytes.
    """
    text = checkpoint.text()
    return Note(text, (sign_note(text, key, sign),))


def cosign(note: Note, key: Verifier, sign: Callable[[bytes], bytes], time: int) -> Note:
    """The note with one more line: a witness saw this as the newest state of a log that only grew.

    Args:
        note: A checkpoint that was checked.
        key: Public half of the witness's key, of the kind `COSIGNATURE`.
        sign: Gives an Ed25519 signature of 64 bytes.
        time: Now, in Unix seconds.
    """
    if key.kind != COSIGNATURE:
        raise ValueError("a witness signs with a key of the kind COSIGNATURE")
    others = tuple(one for one in note.signatures if (one.name, one.key_id) != (key.name, key.key_id))
    return Note(note.text, (*others, sign_note(note.text, key, sign, time)))


def open_checkpoint(
    content: str | bytes, log: Verifier, witnesses: Sequence[Verifier] = ()
) -> tuple[Checkpoint, list[tuple[Verifier, Signature]]]:
    """Check a signed checkpoint.

    Args:
        content: The note.
        log: The ledger's checkpoint key; it must have signed.
        witnesses: Keys whose cosignatures count.

    Returns:
        The checkpoint and the witnesses that cosigned it.

    Raises:
        VerificationFailed: The ledger did not sign it, a signature does not hold, or it is another chain's.
    """
    note = Note.parse(content)
    held = open_note(note, [log, *witnesses])
    if all(key != log for key, _ in held):
        raise VerificationFailed("the ledger's checkpoint key did not sign the checkpoint", source=log.name)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise VerificationFailed("the checkpoint is that of another chain", source=checkpoint.origin)
    return checkpoint, [(key, signature) for key, signature in held if key != log]
