"""An institution's transaction keys."""

from __future__ import annotations

from xinglin.ledger.bodies import KeyRevoke, KeyRotate
from xinglin.ledger.codes import Code
from xinglin.ledger.envelope import Refused, key_id_of
from xinglin.ledger.rules.admission import Context
from xinglin.ledger.view import View

__all__ = ["register", "revoke", "rotate"]


def register(view: View, institution: str, public_key: bytes) -> str:
    """Note a new key of an institution and return its id.

    Raises:
        Refused: KNOWN_KEY.
    """
    key_id = key_id_of(public_key)
    if view.get(b"key/" + key_id.encode()) is not None:
        raise Refused(Code.KNOWN_KEY)
    entry = {"institution": institution, "public_key": public_key, "revoked": False}
    view.put(b"key/" + key_id.encode(), entry)
    return key_id


def rotate(view: View, body: KeyRotate, context: Context) -> None:
    """KeyRotate: one more key."""
    key_id = register(view, context.institution, body.public_key)
    where = b"institution/" + context.institution.encode()
    entry = view.get(where) or {}
    view.put(where, {**entry, "keys": sorted([*entry["keys"], key_id])})


def revoke(view: View, body: KeyRevoke, context: Context) -> None:
    """KeyRevoke: one key fewer; the last one stays, or nobody could speak for the institution."""
    key = view.get(b"key/" + body.key_id.encode())
    if key is None:
        raise Refused(Code.UNKNOWN_KEY)
    if key["institution"] != context.institution:
        raise Refused(Code.FOREIGN_KEY)
    if key["revoked"]:
        raise Refused(Code.REVOKED_KEY)
    where = b"institution/" + context.institution.encode()
    entry = view.get(where) or {}
    if entry["keys"] == [body.key_id]:
        raise Refused(Code.LAST_KEY)
    view.put(b"key/" + body.key_id.encode(), {**key, "revoked": True})
    view.put(where, {**entry, "keys": [one for one in entry["keys"] if one != body.key_id]})
