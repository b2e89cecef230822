"""Compressing and encrypting: zstd (RFC 8878) inside age (age-encryption.org/v1), so that the usual tools open it.

``age -d -i IDENTITY OBJECT | zstd -d`` gives what was sealed.
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


class _Counted:
    """A file that knows the SHA-256 of what was written to it."""

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
    """Those who can open what is sealed.

    Args:
        words: Public keys, sorted: ``age1…`` or ``ssh-ed25519 …``.
    """

    words: tuple[str, ...]
    _keys: tuple[Any, ...] = field(repr=False, compare=False)

    @classmethod
    def of(cls, words: Sequence[str]) -> Recipients:
        """Read public keys.

        Raises:
            UsageError: There is none, or one cannot be read.

        Example:
            >>> Recipients.of(["age1"])
            Traceback (most recent call last):
            xinglin.core.errors.UsageError: this is no public key of age (age1). Fix: give what ...
        """
        import pyrage

        if not words:
            raise UsageError(
                "a backup is encrypted to somebody",
                remedy="name a --recipient age1…; xinglin backup keygen FILE makes one",
            )
        keys = []
        for word in sorted(set(words)):
            try:
                kind = pyrage.ssh if word.startswith("ssh-") else pyrage.x25519
                keys.append(kind.Recipient.from_str(word))
            except pyrage.RecipientError as error:
                raise UsageError(
                    "this is no public key of age",
                    source=word if word.startswith(("age1", "ssh-")) else "--recipient",
                    remedy="give what xinglin backup keygen or age-keygen printed: age1…",
                ) from error
        return cls(tuple(sorted(set(words))), tuple(keys))

    @property
    def name(self) -> str:
        """Names these recipients and no others."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()[:16]

    def seal(self, plain: bytes, path: Path) -> tuple[str, int]:
        """Compress, encrypt and write to a durable file; threads that do so run at the same time.

        Returns:
            SHA-256 of the file in hex, and its bytes.
        """
        import pyrage
        import zstandard

        packed = zstandard.ZstdCompressor(_LEVEL).compress(plain)
        with path.open("xb") as file:
            out = _Counted(file)
            pyrage.encrypt_io(io.BytesIO(packed), out, self._keys)
            file.flush()
            os.fsync(file.fileno())
            return out.digest.hexdigest(), file.tell()


@dataclass(frozen=True)
class Identities:
    """Private keys that open what was sealed to them."""

    _keys: tuple[Any, ...] = field(repr=False)

    def open(self, sealed: bytes, limit: int, where: str) -> bytes:
        """Decrypt and decompress.

        Args:
            sealed: What `Recipients.seal` wrote.
            limit: Bytes that it gives at most.
            where: For errors.

        Raises:
            VerificationFailed: None of the keys opens it, or it was changed; the message says which.
        """
        import pyrage
        import zstandard

        out = io.BytesIO()
        try:
            pyrage.decrypt_io(io.BytesIO(sealed), out, self._keys)
            frame = out.getbuffer()
            if zstandard.frame_content_size(frame) > limit:
                raise VerificationFailed("it gives more bytes than were sealed", source=where)
            plain: bytes = zstandard.ZstdDecompressor().decompress(frame)
        except (pyrage.DecryptError, OSError) as error:
            if "No matching keys" in str(error):
                raise VerificationFailed(
                    "none of these identities opens the backup: it was made for other recipients",
                    source=where,
                    remedy="give the identity file of one of its recipients",
                ) from error
            raise VerificationFailed("it cannot be decrypted: it was changed", source=where) from error
        except zstandard.ZstdError as error:
            raise VerificationFailed("it cannot be decompressed", source=where) from error
        return plain


def new_identity(now: datetime) -> tuple[str, str]:
    """A new key pair.

    Args:
        now: For the comment that says when it was made.

    Returns:
        The content of an identity file, as age-keygen writes it, and the public key.
    """
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    return f"# created: {now.isoformat()}\n# public key: {public}\n{identity}\n", public


def read_identities(path: Path) -> Identities:
    """Read an identity file: lines ``AGE-SECRET-KEY-1…`` and comments, or a private key of OpenSSH.

    Raises:
        BadInput: It holds no key that can be read; a key is never quoted.
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
            "this file holds no identity of age that can be read",
            source=str(path),
            remedy="give the file that xinglin backup keygen or age-keygen wrote",
        ) from error
    if not keys:
        raise BadInput("this identity file is empty", source=str(path))
    return Identities(keys)
