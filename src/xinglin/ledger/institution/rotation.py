"""The keys that sign an institution's transactions: a new one takes over, an old one is revoked."""

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
    """A change of keys.

    Args:
        before: Id of the key that signed until now; the ledger takes it until it is revoked.
        after: Id of the key that signs from now on.
    """

    before: str
    after: str


def keys_of(state: Callable[[bytes], bytes | None], institution: str) -> list[str]:
    """Ids of the keys that an institution may sign with now.

    Args:
        state: A ledger's values by key.
        institution: Its name.
    """
    entry = state(institution_key(institution))
    return [] if entry is None else list(cbor.decode(entry)["keys"])


def rotate_key(ledger: Ledger, signer: Signer, path: Path) -> Rotated:
    """Make a new key, register it on the ledger, and sign with it from then on.

    The new key lies beside the old one until the ledger has it, so that one that was interrupted goes on when it is
    called again, and nothing is lost at whatever moment it is killed. The old key's file is gone afterwards.

    Args:
        ledger: The ledger.
        signer: Signs with the key of the file.
        path: The file of the institution's key: the seed in hex.

    Raises:
        Conflict: Another process does the same, or the ledger refuses the new key.
        LedgerUnavailable: The ledger does not answer; call it again.
    """
    from nacl.signing import SigningKey

    with exclusive(path.with_suffix(".lock"), doing="a change of the ledger's key"):
        waiting = path.with_suffix(".next")
        text = first_private_file(waiting, bytes(SigningKey.generate()).hex().encode() + b"\n")
        seed = bytes.fromhex(text.decode().strip())
        new = key_id_of(bytes(SigningKey(seed).verify_key))
        if new not in keys_of(ledger.state, signer.institution):
            submit_and_wait(
                ledger, signer.rotate(seed), "the new key", f"remove {waiting.name} beside the old key, and try again"
            )
        os.replace(waiting, path)
        sync_folder(path.parent)
    return Rotated(signer.key_id, new)


def revoke_key(ledger: Ledger, signer: Signer, key_id: str) -> None:
    """Make a key of the institution invalid for ever, at once.

    Args:
        ledger: The ledger.
        signer: Signs with another key of the institution.
        key_id: Which.

    Raises:
        UsageError: It is the key that signs here, or none of the institution's.
        Conflict: The ledger refuses.
        LedgerUnavailable: The ledger does not answer; call it again.
    """
    if key_id == signer.key_id:
        remedy = "let another take over first: xinglin ledger rotate-key"
        raise UsageError("this is the key that signs here", source=key_id, remedy=remedy)
    valid = keys_of(ledger.state, signer.institution)
    if key_id not in valid:
        raise UsageError(
            "this is no valid key of the institution", source=key_id, remedy=f"valid are: {', '.join(valid)}"
        )
    submit_and_wait(
        ledger, signer.sign("KeyRevoke", {"key_id": key_id}), "to revoke the key", "see the keys: xinglin ledger status"
    )
