"""Signed notes: a text with signatures (C2SP signed-note v1).

A note is a text that ends with a line end, an empty line, and one line per signature. With the public keys it can be
verified by `note.Open` of Go's ``golang.org/x/mod/sumdb/note`` or any other implementation of the format.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xinglin.core.errors import VerificationFailed

__all__ = ["COSIGNATURE", "ED25519", "Note", "Signature", "Verifier", "base64_bytes", "open_note", "sign_note"]

ED25519 = 1
"""A signature over the text itself."""
COSIGNATURE = 4
"""A witness's signature with its time (C2SP tlog-cosignature v1)."""

_LIMIT = 1_000_000
_DASH = "— "
_KEY_NAME = re.compile(r"[^\s+]+").fullmatch


@dataclass(frozen=True)
class Signature:
    """One signature line.

    Args:
        name: Name of the key.
        key_id: Four bytes that distinguish keys of one name.
        value: The signature; a cosignature has 8 bytes of time before it.
    """

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The signature line of the note, with its line end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"

    @property
    def time(self) -> int:
        """Time of a cosignature, Unix seconds."""
        return int.from_bytes(self.value[:8], "big")


@dataclass(frozen=True)
class Verifier:
    """A named public key that verifies notes.

    Args:
        name: Name without spaces and plus signs.
        public_key: Ed25519 key of 32 bytes.
        kind: `ED25519` or `COSIGNATURE`.

    Raises:
        VerificationFailed: The name or the key is invalid.

    Example:
        >>> key = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        >>> key.name, key.key_id.hex(), key.kind == ED25519
        ('PeterNeumann', 'c74f20a3', True)
    """

    name: str
    public_key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        if not _KEY_NAME(self.name) or len(self.public_key) != 32 or self.kind not in (ED25519, COSIGNATURE):
            raise VerificationFailed("this is not a key for notes", source=repr(self.name)[:80])

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over the name, a line end, the kind and the key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key).digest()[:4]

    def text(self) -> str:
        """The key as one line, ``name+id+key``."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read a key of the form ``name+id+key``.

        Raises:
            VerificationFailed: The text is malformed, or the id does not match the key.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = base64_bytes(encoded, "the key of a note")
        made = cls(name, key[1:], key[0] if key else 0)
        if made.key_id.hex() != key_id:
            raise VerificationFailed("the id of the key does not match its name and bytes", source=name)
        return made

    def verifies(self, text: str, signature: Signature) -> bool:
        """Whether a signature line with this key's name and id is a valid signature of `text`."""
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey

        message, value = text.encode(), signature.value
        if self.kind == COSIGNATURE:
            if len(value) != 72 or signature.time >= 1 << 63:
                return False
            message, value = cosigned(text, signature.time), value[8:]
        try:
            VerifyKey(self.public_key).verify(message, value)
        except (BadSignatureError, ValueError):
            return False
        return True


def cosigned(text: str, time: int) -> bytes:
    """The bytes that a witness signs: a header line, the time, and the text."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


@dataclass(frozen=True)
class Note:
    """A text and its signature lines.

    Example:
        >>> Note.parse("hello\\n\\n— example.org/a AAAAAAA=\\n").signatures[0].name
        'example.org/a'
    """

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return self.text + "\n" + "".join(one.line() for one in self.signatures)

    @classmethod
    def parse(cls, content: str | bytes) -> Note:
        """Parse a note without verifying its signatures.

        Raises:
            VerificationFailed: The content is not a note.
        """
        try:
            whole = content.decode() if isinstance(content, bytes) else content
        except UnicodeDecodeError as error:
            raise VerificationFailed("the note is not UTF-8 text") from error
        if len(whole) > _LIMIT or any(ord(char) < 32 and char != "\n" for char in whole):
            raise VerificationFailed("the note has more than 1,000,000 characters, or control characters")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise VerificationFailed("the note is not a text, an empty line and signature lines")
        return cls(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    value = base64_bytes(encoded, "a signature line")
    if not line.startswith(_DASH) or not _KEY_NAME(name) or len(value) < 5:
        raise VerificationFailed("a signature line is not a dash, the name of a key and its signature")
    return Signature(name, value[:4], value[4:])


def base64_bytes(text: str, what: str) -> bytes:
    """Decode canonical base 64 (RFC 4648, section 4).

    Raises:
        VerificationFailed: The text is not canonical base 64.
    """
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationFailed(f"{what} is not in base 64") from error
    if base64.b64encode(value).decode() != text:
        raise VerificationFailed(f"{what} is not in the canonical form of base 64")
    return value


def open_note(note: Note, known: Sequence[Verifier]) -> list[tuple[Verifier, Signature]]:
    """Verify the signatures of known keys; other signatures are ignored, as the specification requires.

    Returns:
        The keys with valid signatures, each once; never an empty list.

    Raises:
        VerificationFailed: The signature of a known key is invalid, or no known key signed.
    """
    keys = {(key.name, key.key_id): key for key in known}
    held: dict[tuple[str, bytes], tuple[Verifier, Signature]] = {}
    for signature in note.signatures:
        place = (signature.name, signature.key_id)
        key = keys.get(place)
        if key is None or place in held:
            continue
        if not key.verifies(note.text, signature):
            raise VerificationFailed("the signature of the note is invalid", source=signature.name)
        held[place] = (key, signature)
    if not held:
        raise VerificationFailed("no known key signed the note", source=", ".join(key.name for key in known))
    return list(held.values())


def sign_note(text: str, key: Verifier, sign: Callable[[bytes], bytes], time: int = 0) -> Signature:
    """Create one signature line.

    Args:
        text: The signed text, with its last line end.
        key: The public key; its kind is the kind of signature.
        sign: Returns an Ed25519 signature of 64 bytes.
        time: Time of a cosignature, Unix seconds.
    """
    if key.kind == COSIGNATURE:
        return Signature(key.name, key.key_id, time.to_bytes(8, "big") + sign(cosigned(text, time)))
    return Signature(key.name, key.key_id, sign(text.encode()))
