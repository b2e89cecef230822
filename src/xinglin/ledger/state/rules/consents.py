"""Rules for consents: commitments under random handles, with compare-and-set."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.keys import consent_key
from xinglin.ledger.state.rules.admission import Context
from xinglin.ledger.state.view import Entry, View
from xinglin.ledger.transactions.bodies import ConsentPut, ConsentWithdraw
from xinglin.ledger.transactions.envelope import Refused

__all__ = ["put", "withdraw"]


def put(view: View, body: ConsentPut, context: Context) -> None:
    """ConsentPut: adds a consent or replaces the current one."""
    where = consent_key(body.handle.hex())
    current = view.get(where)
    if current is None:
        if body.previous is not None:
            raise Refused(Code.WRONG_PREVIOUS)
    else:
        _must_be_current(current, body.previous, context)
    entry = {"institution": context.institution, "commitment": body.commitment, "withdrawn": False}
    period = {"valid_from": body.valid_from, "valid_until": body.valid_until}
    view.put(where, {**entry, **period, "transaction": context.digest})


def withdraw(view: View, body: ConsentWithdraw, context: Context) -> None:
    """ConsentWithdraw: withdraws a consent for ever, so that a late grant cannot undo it."""
    where = consent_key(body.handle.hex())
    current = view.get(where)
    if current is None:
        raise Refused(Code.UNKNOWN_CONSENT)
    _must_be_current(current, body.previous, context)
    view.put(where, {**current, "withdrawn": True, "transaction": context.digest})


def _must_be_current(current: Entry, previous: bytes | None, context: Context) -> None:
    if current["institution"] != context.institution:
        raise Refused(Code.FOREIGN_NAME)
    if current["withdrawn"]:
        raise Refused(Code.CONSENT_WITHDRAWN)
    if current["commitment"] != previous:
        raise Refused(Code.WRONG_PREVIOUS)
