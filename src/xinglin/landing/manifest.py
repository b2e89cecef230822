"""The manifest of a batch: canonical bytes, signed by the site."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from xinglin.core.errors import VerificationFailed

__all__ = ["FORMAT", "canonical", "check_signature", "digest", "new_key", "public_key", "sign"]

FORMAT = 1
_CONTEXT = b"xinglin landing manifest 1\x00"


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no whitespace, so the same manifest always has the same bytes.

    Example:
        >>> canonical({"b": 1, "a": "杏林"}).decode()
        '{"a":"杏林","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(manifest: bytes) -> str:
    """The SHA-256 that the next batch refers to this one by."""
    return hashlib.sha256(manifest).hexdigest()


def new_key(seed: bytes | None = None) -> bytes:
    """A new Ed25519 signing key of 32 bytes, from the operating system's randomness or a given seed."""
    from nacl.signing import SigningKey

    return bytes(SigningKey(seed) if seed is not None else SigningKey.generate())


def public_key(key: bytes) -> str:
    """The public half, in hex."""
    from nacl.signing import SigningKey

    return bytes(SigningKey(key).verify_key).hex()


def sign(key: bytes, manifest: bytes) -> bytes:
    """The content of ``manifest.sig``: the signature in hex and a line end.

    Example:
        >>> key = new_key(bytes(32))
        >>> check_signature(public_key(key), b"{}", sign(key, b"{}"), where="example")
    """
    from nacl.signing import SigningKey

    return SigningKey(key).sign(_CONTEXT + manifest).signature.hex().encode() + b"\n"


def check_signature(public: str, manifest: bytes, signature: bytes, *, where: str) -> None:
    """Check a manifest against the site's public key.

    Raises:
        VerificationFailed: The signature is not the site's.
    """
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(bytes.fromhex(public)).verify(_CONTEXT + manifest, bytes.fromhex(signature.decode().strip()))
    except (BadSignatureError, ValueError, UnicodeDecodeError) as error:
        raise VerificationFailed(
            "the signature is not the site's", source=where, remedy="restore the site's folder from a backup"
        ) from error
