"""Whether an envelope may act at all: chain, key, time, sequence number."""

from __future__ import annotations

from typing import NamedTuple

from xinglin.ledger.codes import Code
from xinglin.ledger.keys import sequence_key, signing_key
from xinglin.ledger.state.view import View
from xinglin.ledger.transactions.bodies import Body
from xinglin.ledger.transactions.envelope import DAY, Envelope, Refused

__all__ = ["WINDOW", "Context", "admit", "prove", "use_sequence"]

WINDOW = 1_024
"""How far below the highest sequence number of a key a transaction may still arrive."""

_MASK = (1 << WINDOW) - 1


class Context(NamedTuple):
    """Who acts, when, by which transaction.

    Attributes:
        institution: The signer.
        time: The block's time in Unix seconds; the only clock there is.
        digest: SHA-256 of the transaction.
    """

    institution: str
    time: int
    digest: bytes


def admit(view: View, envelope: Envelope, chain_id: str, time: int) -> bytes:
    """The public key that the envelope must be signed with.

    Raises:
        Refused: By the first of the reasons that hold: chain, key, time.
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
    """Ask for proof that new keys are held by whoever brings them.

    Raises:
        Refused: UNPROVEN_KEY.
    """
    if body is not None and not body.proven(envelope):
        raise Refused(Code.UNPROVEN_KEY)


def use_sequence(view: View, key_id: str, seq: int) -> None:
    """Note that a key used a sequence number.

    The state keeps the highest number and a bitmap of the 1,024 below (bit 0 is the one just below), so that
    transactions that arrive out of order are no loss.

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
        # A jump past the whole window leaves nothing to shift; without the bound the number would be enormous.
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
