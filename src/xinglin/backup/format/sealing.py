"""Compress and encrypt: zstd (RFC 8878) in age (age-encryption.org/v1), readable with standard tools.

``age -d -i IDENTITY OBJECT | zstd -d`` restores the plain bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from xinglin.core.errors import BadInput, UsageError, VerificationFailed

__all__ = ["Identities", "Recipients", "new_identity", "read_identities"]

_LEVEL = 1


class _HashingFile:
    """A file that computes the SHA-256 of the written bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


@dataclass(frozen=True)
class Recipients:
    """The recipients of encrypted objects.

    Args:
        words: Public keys, sorted: ``age1…`` or ``ssh-ed25519 …``.
    """

    words: tuple[str, ...]
    _keys: tuple[Any, ...] = field(repr=False, compare=False)

    @classmethod
    def of(cls, words: Sequence[str]) -> Recipients:
        """Read public keys.

        Raises:
            UsageError: No key is given, or one is invalid.

        Example:
            >>> Recipients.of(["age1"])
            Traceback (most recent call last):
            xinglin.core.errors.UsageError: the recipient is not a public age key (age1). Fix: use ...
        """
        import pyrage

        if not words:
            raise UsageError(
                "no recipient given",
                remedy="add --recipient age1…; create a key with xinglin backup keygen FILE",
            )
        keys = []
        for word in sorted(set(words)):
            try:
                kind = pyrage.ssh if word.startswith("ssh-") else pyrage.x25519
                keys.append(kind.Recipient.from_str(word))
            except pyrage.RecipientError as error:
                raise UsageError(
                    "the recipient is not a public age key",
                    source=word if word.startswith(("age1", "ssh-")) else "--recipient",
                    remedy="use the public key from xinglin backup keygen or age-keygen: age1…",
                ) from error
        return cls(tuple(sorted(set(words))), tuple(keys))

    @property
    def name(self) -> str:
        """A unique name of this set of recipients."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()[:16]

    def seal(self, plain: bytes, path: Path) -> tuple[str, int]:
        """Compress, encrypt and write to a durable file; runs in parallel threads.

        Returns:
            SHA-256 of the file in hex, and its size.
        """
        import pyrage
        import zstandard

        packed = zstandard.ZstdCompressor(_LEVEL).compress(plain)
        with path.open("xb") as file:
            out = _HashingFile(file)
            pyrage.encrypt_io(io.BytesIO(packed), out, self._keys)
            file.flush()
            os.fsync(file.fileno())
            return out.digest.hexdigest(), file.tell()


@dataclass(frozen=True)
class Identities:
    """Private keys that decrypt objects."""

    _keys: tuple[Any, ...] = field(repr=False)

    def open(self, sealed: bytes, limit: int, where: str) -> bytes:
        """Decrypt and decompress.

        Args:
            sealed: Bytes that `Recipients.seal` wrote.
            limit: Maximum plain size in bytes.
            where: Source in errors.

        Raises:
            VerificationFailed: No key matches, or the bytes were changed.
        """
        import pyrage
        import zstandard

        out = io.BytesIO()
        try:
            pyrage.decrypt_io(io.BytesIO(sealed), out, self._keys)
            frame = out.getbuffer()
            if zstandard.frame_content_size(frame) > limit:
                raise VerificationFailed("the object is larger than permitted", source=where)
            plain: bytes = zstandard.ZstdDecompressor().decompress(frame)
        except (pyrage.DecryptError, OSError) as error:
            if "No matching keys" in str(error):
                raise VerificationFailed(
                    "no identity matches: the backup has other recipients",
                    source=where,
                    remedy="use the identity file of one of its recipients",
                ) from error
            raise VerificationFailed("the object cannot be decrypted: it was changed", source=where) from error
        except zstandard.ZstdError as error:
            raise VerificationFailed("the object cannot be decompressed", source=where) from error
        return plain


def new_identity(now: datetime) -> tuple[str, str]:
    """Create a key pair.

    Args:
        now: Time of creation, for the comment.

    Returns:
        Content of an identity file in the format of age-keygen, and the public key.
    """
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    return f"# created: {now.isoformat()}\n# public key: {public}\n{identity}\n", public


def read_identities(path: Path) -> Identities:
    """Read an identity file: lines ``AGE-SECRET-KEY-1…`` and comments, or a private key of OpenSSH.

    Raises:
        BadInput: The file has no valid key; the error never quotes a key.
    """
    import pyrage

    try:
        text = path.read_text("ascii")
        if text.startswith("-----BEGIN"):
            return Identities((pyrage.ssh.Identity.from_buffer(text.encode()),))
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        keys = tuple(pyrage.x25519.Identity.from_str(line) for line in lines)
    except (OSError, ValueError, pyrage.IdentityError) as error:
        raise BadInput(
            "the file has no valid age identity",
            source=str(path),
            remedy="use a file from xinglin backup keygen or age-keygen",
        ) from error
    if not keys:
        raise BadInput("the identity file is empty", source=str(path), remedy="use another file")
    return Identities(keys)
