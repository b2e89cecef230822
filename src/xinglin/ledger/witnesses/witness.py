"""A witness: an independent party that cosigns only checkpoints that continue the last one it has seen.

It stores, in its own folder and under its own key, the last cosigned checkpoint of each chain. It refuses a checkpoint
that is older or inconsistent, so an embedded ledger cannot be rolled back or forked unnoticed by verifiers that require
the witness's cosignature. The protocol is C2SP tlog-witness; `Refusal` holds its HTTP status codes.
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
    """Reasons for refusal: the HTTP status codes of tlog-witness."""

    MALFORMED = 400
    NO_SIGNATURE = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    INCONSISTENT = 422


class Refused(VerificationFailed):
    """The witness refuses to cosign.

    Args:
        reason: The reason.
        what: The reason as text.
        source: The chain id.
        size: Size of the log that it cosigned last.
    """

    def __init__(self, reason: Refusal, what: str, *, source: str, size: int = 0) -> None:
        remedy = "" if reason is not Refusal.CONFLICT else f"send a consistency proof from {size} entries"
        super().__init__(f"the witness refuses: {what}", source=source, remedy=remedy)
        self.reason = reason
        self.size = size


@dataclass(frozen=True)
class Request:
    """A ledger's request to its witness.

    Args:
        old: Size of the log that the witness cosigned last, 0 at first.
        proof: Consistency proof from that size.
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
        """Parse an ``add-checkpoint`` request of tlog-witness.

        Raises:
            Refused: The text is malformed.
        """
        head, _, rest = text.partition("\n\n")
        first, *proof = head.split("\n")
        number = first.removeprefix("old ")
        if not first.startswith("old ") or not _NUMBER(number):
            raise Refused(Refusal.MALFORMED, "the request does not begin with the old size", source="add-checkpoint")
        if len(proof) > _MOST_HASHES:
            raise Refused(Refusal.MALFORMED, "the consistency proof has more than 63 hashes", source="add-checkpoint")
        try:
            hashes = tuple(base64_bytes(one, "a hash of the consistency proof") for one in proof)
            return cls(int(number), hashes, Note.parse(rest))
        except VerificationFailed as error:
            raise Refused(Refusal.MALFORMED, error.what, source="add-checkpoint") from error


def answer(request: Request, last: Checkpoint | None, log: Verifier) -> Checkpoint:
    """Decide a request; a pure function.

    Args:
        request: The request.
        last: The last cosigned checkpoint of the chain, if any.
        log: The chain's checkpoint key.

    Returns:
        The checkpoint to cosign.

    Raises:
        Refused: The checkpoint must not be cosigned.
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
        what = f"{seen} entries were cosigned, the request continues {request.old}"
        raise Refused(Refusal.CONFLICT, what, source=log.name, size=seen)
    # The state follows from the log, so one log with two states is a fork too.
    if last and checkpoint.size == seen and checkpoint.app_hash != last.app_hash:
        what = f"another ledger of {seen} entries was cosigned: the ledger was forked"
        raise Refused(Refusal.CONFLICT, what, source=log.name, size=seen)
    if last and checkpoint.height < last.height:
        what = f"height {last.height} was cosigned, the request has height {checkpoint.height}"
        raise Refused(Refusal.INCONSISTENT, what, source=log.name, size=seen)
    if last:
        try:
            check_consistency((last.size, last.root), (checkpoint.size, checkpoint.root), request.proof)
        except VerificationFailed as error:
            raise Refused(Refusal.INCONSISTENT, error.what, source=log.name, size=seen) from error
    elif request.proof:
        raise Refused(
            Refusal.INCONSISTENT, "no checkpoint was cosigned, so no consistency proof is possible", source=log.name
        )
    return checkpoint


class Witness:
    """A witness with its key and its last checkpoints in one folder.

    Args:
        folder: Folder of the witness; created if missing: ``witness.key`` (mode 600), ``logs/`` and ``seen/``.
        clock: The clock.
        name: Name of the key, for a new folder.

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
        """Add a chain; its key is trusted on first use and never replaced.

        Raises:
            VerificationFailed: The chain is known with another key.
        """
        path = self._place("logs", log.name)
        if path.is_file() and path.read_text().strip() != log.text():
            raise VerificationFailed("the chain is known with another checkpoint key", source=log.name)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, log.text().encode() + b"\n")

    def seen(self, origin: str) -> Checkpoint | None:
        """The last cosigned checkpoint of a chain.

        Raises:
            VerificationFailed: The stored checkpoint is not signed by the witness.
        """
        path = self._place("seen", origin)
        if not path.is_file():
            return None
        note = Note.parse(path.read_bytes())
        open_note(note, [self.key])
        return Checkpoint.parse(note.text)

    def add(self, request: Request) -> Note:
        """Cosign a checkpoint; stores it before the signature is returned.

        Returns:
            The checkpoint with the witness's signature line.

        Raises:
            Refused: The ledger was rolled back or forked, the checkpoint is unsigned, or the chain is unknown.
            Conflict: Another process uses the witness.
        """
        origin = request.note.text.partition("\n")[0]
        known = self._place("logs", origin)
        if not known.is_file():
            raise Refused(Refusal.UNKNOWN_LOG, "the chain is unknown", source=origin)
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
        """Path for a chain, by the hash of its name, so that a name cannot form a path."""
        import hashlib

        return self.folder / kind / hashlib.sha256(origin.encode()).hexdigest()


def _own_key(folder: Path, name: str) -> tuple[bytes, Verifier]:
    from nacl.signing import SigningKey

    path = folder / "witness.key"
    # Check the name before it is stored.
    made = Verifier(name or "witness", bytes(32), COSIGNATURE).name
    content = first_private_file(path, f"{bytes(SigningKey.generate()).hex()}\n{made}\n".encode())
    secret, named = content.decode().split()
    key = Verifier(named, bytes(SigningKey(bytes.fromhex(secret)).verify_key), COSIGNATURE)
    if not (folder / "witness.pub").is_file():
        write_atomic(folder / "witness.pub", key.text().encode() + b"\n")
    return bytes.fromhex(secret), key
