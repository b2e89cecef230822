"""Rules for keys: transaction keys, and the validator key of an institution."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.keys import institution_key, signing_key, validator_entry
from xinglin.ledger.state.rules.admission import Context
from xinglin.ledger.state.view import View
from xinglin.ledger.transactions.bodies import KeyRevoke, KeyRotate
from xinglin.ledger.transactions.envelope import Refused, key_id_of

__all__ = ["must_be_new", "register", "register_validator", "revoke", "rotate"]


def must_be_new(view: View, public_key: bytes) -> None:
    """Check that a key was never registered, by any institution for any purpose.

    Raises:
        Refused: KNOWN_KEY.
    """
    key_id = key_id_of(public_key)
    if view.get(signing_key(key_id)) is not None or view.get(validator_entry(key_id)) is not None:
        raise Refused(Code.KNOWN_KEY)


def register_validator(view: View, institution: str, validator_key: bytes) -> None:
    """Register the validator key of an institution.

    Raises:
        Refused: KNOWN_KEY.
    """
    must_be_new(view, validator_key)
    entry = {"institution": institution, "public_key": validator_key}
    view.put(validator_entry(key_id_of(validator_key)), entry)


def register(view: View, institution: str, public_key: bytes) -> str:
    """Register a new transaction key of an institution and return its id.

    Raises:
        Refused: KNOWN_KEY.
    """
    must_be_new(view, public_key)
    key_id = key_id_of(public_key)
    entry = {"institution": institution, "public_key": public_key, "revoked": False}
    view.put(signing_key(key_id), entry)
    return key_id


def rotate(view: View, body: KeyRotate, context: Context) -> None:
    """KeyRotate: adds a key."""
    key_id = register(view, context.institution, body.public_key)
    where = institution_key(context.institution)
    entry = view.get(where) or {}
    view.put(where, {**entry, "keys": sorted([*entry["keys"], key_id])})


def revoke(view: View, body: KeyRevoke, context: Context) -> None:
    """KeyRevoke: revokes a key; the last one cannot be revoked, because the institution could not sign any more."""
    key = view.get(signing_key(body.key_id))
    if key is None:
        raise Refused(Code.UNKNOWN_KEY)
    if key["institution"] != context.institution:
        raise Refused(Code.FOREIGN_KEY)
    if key["revoked"]:
        raise Refused(Code.REVOKED_KEY)
    where = institution_key(context.institution)
    entry = view.get(where) or {}
    if entry["keys"] == [body.key_id]:
        raise Refused(Code.LAST_KEY)
    view.put(signing_key(body.key_id), {**key, "revoked": True})
    view.put(where, {**entry, "keys": [one for one in entry["keys"] if one != body.key_id]})
