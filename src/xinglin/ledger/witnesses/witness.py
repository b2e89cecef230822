"""A witness: another party that remembers how far it has seen a ledger, and cosigns only what continues it.

It keeps, in its own folder and under its own key, the last checkpoint it cosigned of each chain. A checkpoint that is
older, or that is not a continuation, is refused: so a ledger on one machine cannot be rolled back or forked behind the
back of those who ask for the witness's signature. The protocol is that of C2SP tlog-witness; the answer codes of its
HTTP form are kept in `Refusal`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from xinglin.core.clock import Clock
from xinglin.core.errors import VerificationFailed
from xinglin.core.files import exclusive, first_private_file, write_atomic
from xinglin.ledger.proofs.checkpoint import Checkpoint, cosign, open_checkpoint
from xinglin.ledger.proofs.note import COSIGNATURE, Note, Verifier, base64_bytes, open_note
from xinglin.ledger.state.consistency import check_consistency

__all__ = ["Refusal", "Refused", "Request", "Witness", "answer"]

_MOST_HASHES = 63
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch


class Refusal(IntEnum):
    """Why a witness does not cosign: the HTTP status that tlog-witness gives to each reason."""

    MALFORMED = 400
    NO_SIGNATURE = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    INCONSISTENT = 422


class Refused(VerificationFailed):
    """The witness does not cosign.

    Args:
        reason: Why.
        what: In words.
        source: The chain.
        size: Size of the log that it cosigned last.
    """

    def __init__(self, reason: Refusal, what: str, *, source: str, size: int = 0) -> None:
        remedy = "" if reason is not Refusal.CONFLICT else f"send the consistency proof from {size} entries on"
        super().__init__(f"the witness refuses: {what}", source=source, remedy=remedy)
        self.reason = reason
        self.size = size


@dataclass(frozen=True)
class Request:
    """What a ledger sends to its witness.

    Args:
        old: Size of the log that the witness cosigned last, 0 at first.
        proof: The consistency proof from there on.
        note: The new checkpoint.

    Example:
        >>> text = "old 0\\n\\nregion.example\\n0\\n...\\n\\n— region.example AAAAAAA=\\n"
        >>> request = Request.parse(text)
        >>> request.old, request.proof, str(request) == text
        (0, (), True)
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        import base64

        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof), ""]
        return "\n".join(lines) + f"\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> Request:
        """Read a request of tlog-witness ``add-checkpoint``.

        Raises:
            Refused: It has another form.
        """
        head, _, rest = text.partition("\n\n")
        first, *proof = head.split("\n")
        number = first.removeprefix("old ")
        if not first.startswith("old ") or not _NUMBER(number):
            raise Refused(Refusal.MALFORMED, "a request begins with the size it continues", source="add-checkpoint")
        if len(proof) > _MOST_HASHES:
            raise Refused(Refusal.MALFORMED, "a consistency proof has at most 63 hashes", source="add-checkpoint")
        try:
            hashes = tuple(base64_bytes(one, "a hash of the consistency proof") for one in proof)
            return cls(int(number), hashes, Note.parse(rest))
        except VerificationFailed as error:
            raise Refused(Refusal.MALFORMED, error.what, source="add-checkpoint") from error


def answer(request: Request, last: Checkpoint | None, log: Verifier) -> Checkpoint:
    """Decide about a request, without looking anywhere else.

    Args:
        request: What the ledger sent.
        last: What the witness cosigned last of that chain, if anything.
        log: The chain's checkpoint key.

    Returns:
        The checkpoint that may be cosigned.

    Raises:
        Refused: It must not be.
    """
    try:
        checkpoint, _ = open_checkpoint(str(request.note), log)
    except VerificationFailed as error:
        raise Refused(Refusal.NO_SIGNATURE, error.what, source=log.name) from error
    seen = last.size if last else 0
    if request.old > checkpoint.size:
        what = f"the checkpoint of {checkpoint.size} entries does not continue {request.old}"
        raise Refused(Refusal.MALFORMED, what, source=log.name, size=seen)
    if request.old != seen:
        what = f"{seen} entries were cosigned already, and this continues {request.old}"
        raise Refused(Refusal.CONFLICT, what, source=log.name, size=seen)
    # The state follows from the log, so one log with two states is a fork as well.
    if last and checkpoint.size == seen and checkpoint.app_hash != last.app_hash:
        what = f"another ledger of {seen} entries was cosigned: it was forked"
        raise Refused(Refusal.CONFLICT, what, source=log.name, size=seen)
    if last and checkpoint.height < last.height:
        what = f"height {last.height} was cosigned already, and this is height {checkpoint.height}"
        raise Refused(Refusal.INCONSISTENT, what, source=log.name, size=seen)
    if last:
        try:
            check_consistency((last.size, last.root), (checkpoint.size, checkpoint.root), request.proof)
        except VerificationFailed as error:
            raise Refused(Refusal.INCONSISTENT, error.what, source=log.name, size=seen) from error
    elif request.proof:
        raise Refused(Refusal.INCONSISTENT, "nothing was cosigned, so there is nothing to continue", source=log.name)
    return checkpoint


class Witness:
    """A witness with its key and its memory in one folder.

    Args:
        folder: The witness's own, made when missing: ``witness.key`` (mode 600), ``logs/`` and ``seen/``.
        clock: What time it is.
        name: Under which it signs, where the folder is new.

    Example:
        >>> import tempfile
        >>> from xinglin.core.clock import system_clock
        >>> witness = Witness(Path(tempfile.mkdtemp()), system_clock, "witness.example/one")
        >>> witness.key.name, witness.seen("region.example")
        ('witness.example/one', None)
    """

    def __init__(self, folder: Path, clock: Clock, name: str = "") -> None:
        self.folder = folder
        self._clock = clock
        self._secret, self.key = _own_key(folder, name)

    def trust(self, log: Verifier) -> None:
        """Watch a chain from now on; its key is believed the first time and never replaced.

        Raises:
            VerificationFailed: The chain is watched already, under another key.
        """
        path = self._place("logs", log.name)
        if path.is_file() and path.read_text().strip() != log.text():
            raise VerificationFailed("the chain is watched under another checkpoint key", source=log.name)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, log.text().encode() + b"\n")

    def seen(self, origin: str) -> Checkpoint | None:
        """The last checkpoint of a chain that was cosigned.

        Raises:
            VerificationFailed: The witness's memory is not what it signed.
        """
        path = self._place("seen", origin)
        if not path.is_file():
            return None
        note = Note.parse(path.read_bytes())
        open_note(note, [self.key])
        return Checkpoint.parse(note.text)

    def add(self, request: Request) -> Note:
        """Cosign a checkpoint, and remember it before the signature is given away.

        Returns:
            The checkpoint with the witness's line.

        Raises:
            Refused: It is rolled back, forked, unsigned, or of a chain that is not watched.
            Conflict: Another process asks the same witness at this moment.
        """
        origin = request.note.text.partition("\n")[0]
        known = self._place("logs", origin)
        if not known.is_file():
            raise Refused(Refusal.UNKNOWN_LOG, "this chain is not watched", source=origin)
        with exclusive(self.folder / "lock", doing="cosigning"):
            log = Verifier.parse(known.read_text().strip())
            answer(request, self.seen(origin), log)
            note = cosign(request.note, self.key, self._sign, int(self._clock().timestamp()))
            path = self._place("seen", origin)
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, str(note).encode())
        return note

    def _sign(self, text: bytes) -> bytes:
        from nacl.signing import SigningKey

        return SigningKey(self._secret).sign(text).signature

    def _place(self, kind: str, origin: str) -> Path:
        """Chains are told apart by a hash, so that no name of a chain becomes a path."""
        import hashlib

        return self.folder / kind / hashlib.sha256(origin.encode()).hexdigest()


def _own_key(folder: Path, name: str) -> tuple[bytes, Verifier]:
    from nacl.signing import SigningKey

    path = folder / "witness.key"
    # A name that cannot be one is refused before it is kept.
    made = Verifier(name or "witness", bytes(32), COSIGNATURE).name
    content = first_private_file(path, f"{bytes(SigningKey.generate()).hex()}\n{made}\n".encode())
    secret, named = content.decode().split()
    key = Verifier(named, bytes(SigningKey(bytes.fromhex(secret)).verify_key), COSIGNATURE)
    if not (folder / "witness.pub").is_file():
        write_atomic(folder / "witness.pub", key.text().encode() + b"\n")
    return bytes.fromhex(secret), key
