"""Trusted issuers and revocations (``access/issuers.json``), and the region's key that signs credentials."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

from xinglin.access.credentials.actor import Issuers, key_id, public_half
from xinglin.core.errors import NotFound, VerificationFailed
from xinglin.core.files import exclusive, private_file

__all__ = ["ISSUERS_FILE", "actor_key", "create_issuer", "load_issuers", "revoke"]

ISSUERS_FILE = "issuers.json"


def create_issuer(folder: Path, keys: Path, region: str) -> bytes:
    """Create the region's key for credentials and its list of issuers; existing files stay unchanged.

    Args:
        folder: `home/access`.
        keys: `home/keys`; receives ``actor.key`` with mode 600.
        region: The region's name, the audience of its credentials.

    Returns:
        The key, an Ed25519 seed of 32 bytes.
    """
    path = keys / "actor.key"
    if not path.exists():
        private_file(path, os.urandom(32).hex().encode() + b"\n")
    key = actor_key(keys)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / ISSUERS_FILE).exists():
        public = public_half(key)
        _write(folder, Issuers(region, {key_id(public): public}))
    return key


def actor_key(keys: Path) -> bytes:
    """The key that signs credentials.

    Args:
        keys: `home/keys`.

    Raises:
        NotFound: This machine does not have the key.
    """
    path = keys / "actor.key"
    if not path.exists():
        raise NotFound("the key for credentials is missing", source=str(path), remedy="run xinglin init")
    return bytes.fromhex(path.read_text().strip())


def load_issuers(folder: Path) -> Issuers:
    """Read the trusted issuers and the revocation list.

    Args:
        folder: `home/access`.

    Raises:
        NotFound: The list is missing.
        VerificationFailed: The list cannot be read.
    """
    try:
        found = json.loads((folder / ISSUERS_FILE).read_bytes())
        keys = {str(name): bytes.fromhex(public) for name, public in found["keys"].items()}
        return Issuers(str(found["region"]), keys, frozenset(found["revoked"]))
    except FileNotFoundError as error:
        raise NotFound("the list of issuers is missing", source=ISSUERS_FILE, remedy="run xinglin init") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise VerificationFailed(
            "the list of issuers cannot be read", source=ISSUERS_FILE, remedy="restore a backup"
        ) from error


def revoke(folder: Path, credentials: Collection[str]) -> None:
    """Revoke credentials.

    Args:
        folder: `home/access`.
        credentials: Identifiers (`jti`).
    """
    with exclusive(folder / ".issuers.lock", doing="the list of issuers"):
        known = load_issuers(folder)
        _write(folder, Issuers(known.region, known.keys, known.revoked | frozenset(credentials)))


def _write(folder: Path, issuers: Issuers) -> None:
    content = {
        "region": issuers.region,
        "keys": {name: public.hex() for name, public in sorted(issuers.keys.items())},
        "revoked": sorted(issuers.revoked),
    }
    private_file(folder / ISSUERS_FILE, json.dumps(content, indent=1).encode() + b"\n")
