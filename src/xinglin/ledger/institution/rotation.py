"""Rotate and revoke the keys that sign an institution's transactions."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xinglin.core.errors import UsageError
from xinglin.core.files import exclusive, first_private_file, sync_folder
from xinglin.ledger.institution.signer import Signer
from xinglin.ledger.keys import institution_key
from xinglin.ledger.port import Ledger
from xinglin.ledger.submission import submit_and_wait
from xinglin.ledger.transactions import cbor
from xinglin.ledger.transactions.envelope import key_id_of

__all__ = ["Rotated", "keys_of", "revoke_key", "rotate_key"]


@dataclass(frozen=True)
class Rotated:
    """The result of a key rotation.

    Args:
        before: Id of the old key; valid until it is revoked.
        after: Id of the new key.
    """

    before: str
    after: str


def keys_of(state: Callable[[bytes], bytes | None], institution: str) -> list[str]:
    """Ids of an institution's valid keys.

    Args:
        state: Reads a state value of the ledger.
        institution: Name of the institution.
    """
    entry = state(institution_key(institution))
    return [] if entry is None else list(cbor.decode(entry)["keys"])


def rotate_key(ledger: Ledger, signer: Signer, path: Path) -> Rotated:
    """Create a new key, register it on the ledger and replace the key file.

    Until the ledger holds the new key it is stored beside the old one, so that an interrupted rotation continues at the
    next call. The old key's file is replaced at the end.

    Args:
        ledger: The ledger.
        signer: Signs with the current key.
        path: Key file: the seed in hex.

    Raises:
        Conflict: Another process rotates the key, or the ledger refuses the new key.
        LedgerUnavailable: The ledger does not answer; call again.
    """
    from nacl.signing import SigningKey

    with exclusive(path.with_suffix(".lock"), doing="the key rotation"):
        waiting = path.with_suffix(".next")
        text = first_private_file(waiting, bytes(SigningKey.generate()).hex().encode() + b"\n")
        seed = bytes.fromhex(text.decode().strip())
        new = key_id_of(bytes(SigningKey(seed).verify_key))
        if new not in keys_of(ledger.state, signer.institution):
            submit_and_wait(ledger, signer.rotate(seed), "the new key", f"delete {waiting.name} and try again")
        os.replace(waiting, path)
        sync_folder(path.parent)
    return Rotated(signer.key_id, new)


def revoke_key(ledger: Ledger, signer: Signer, key_id: str) -> None:
    """Revoke a key of the institution, immediately and for ever.

    Args:
        ledger: The ledger.
        signer: Signs with another key of the institution.
        key_id: Id of the key to revoke.

    Raises:
        UsageError: The key is the current signing key, or not a valid key of the institution.
        Conflict: The ledger refuses.
        LedgerUnavailable: The ledger does not answer; call again.
    """
    if key_id == signer.key_id:
        remedy = "rotate it first: xinglin ledger rotate-key"
        raise UsageError("this is the current signing key", source=key_id, remedy=remedy)
    valid = keys_of(ledger.state, signer.institution)
    if key_id not in valid:
        raise UsageError(
            "this is not a valid key of the institution", source=key_id, remedy=f"use one of {', '.join(valid)}"
        )
    submit_and_wait(
        ledger, signer.sign("KeyRevoke", {"key_id": key_id}), "the revocation", "list the keys: xinglin ledger status"
    )
