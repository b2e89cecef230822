"""Admission of envelopes: chain, key, time, proof of possession, sequence number."""

from __future__ import annotations

from typing import NamedTuple

from xinglin.ledger.codes import Code
from xinglin.ledger.keys import sequence_key, signing_key
from xinglin.ledger.state.view import View
from xinglin.ledger.transactions.bodies import Body
from xinglin.ledger.transactions.envelope import DAY, Envelope, Refused

__all__ = ["WINDOW", "Context", "admit", "prove", "use_sequence"]

WINDOW = 1_024
"""Sequence numbers up to this far below the highest number of a key are accepted."""

_MASK = (1 << WINDOW) - 1


class Context(NamedTuple):
    """The context of a transaction.

    Attributes:
        institution: The signing institution.
        time: Block time, Unix seconds; the only clock.
        digest: SHA-256 of the transaction.
    """

    institution: str
    time: int
    digest: bytes


def admit(view: View, envelope: Envelope, chain_id: str, time: int) -> bytes:
    """Check chain, key and time; returns the public key that must have signed.

    Raises:
        Refused: With the first reason found.
    """
    if envelope.chain_id != chain_id:
        raise Refused(Code.FOREIGN_CHAIN)
    key = view.get(signing_key(envelope.key_id))
    if key is None:
        raise Refused(Code.UNKNOWN_KEY)
    if key["institution"] != envelope.institution:
        raise Refused(Code.FOREIGN_KEY)
    if key["revoked"]:
        raise Refused(Code.REVOKED_KEY)
    if envelope.valid_until <= time:
        raise Refused(Code.EXPIRED)
    if envelope.valid_until > time + DAY:
        raise Refused(Code.TOO_FAR_AHEAD)
    public_key: bytes = key["public_key"]
    return public_key


def prove(envelope: Envelope, body: Body | None) -> None:
    """Require a proof of possession for each new key.

    Raises:
        Refused: UNPROVEN_KEY.
    """
    if body is not None and not body.proven(envelope):
        raise Refused(Code.UNPROVEN_KEY)


def use_sequence(view: View, key_id: str, seq: int) -> None:
    """Record a used sequence number of a key.

    The state holds the highest number and a bitmap of the 1,024 numbers below (bit 0 is the next lower one), so that
    transactions may arrive out of order.

    Raises:
        Refused: REPLAYED_SEQ or STALE_SEQ.
    """
    where = sequence_key(key_id)
    entry = view.get(where)
    if entry is None:
        view.put(where, {"highest": seq, "seen": b""})
        return
    highest, seen = entry["highest"], int.from_bytes(entry["seen"], "big")
    if seq > highest:
        shift = seq - highest
        # A jump past the window clears the bitmap; without this bound the shifted number would be huge.
        seen = ((seen << 1 | 1) << (shift - 1)) & _MASK if shift <= WINDOW else 0
        highest = seq
    elif seq == highest:
        raise Refused(Code.REPLAYED_SEQ)
    else:
        below = highest - seq - 1
        if below >= WINDOW:
            raise Refused(Code.STALE_SEQ)
        if seen >> below & 1:
            raise Refused(Code.REPLAYED_SEQ)
        seen |= 1 << below
    view.put(where, {"highest": highest, "seen": seen.to_bytes((seen.bit_length() + 7) // 8, "big")})
