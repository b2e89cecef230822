"""The key of the persons' pseudonyms in the audit log (``access/person.key``)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["person_key"]


def person_key(folder: Path) -> bytes:
    """The region's person key, created on first use.

    Args:
        folder: `home/access`.
    """
    path = folder / "person.key"
    if not path.exists():
        draft = folder / f".person.key.{secrets.token_hex(8)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(32))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            # If two processes start at once, one creates the key and both use it.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
