"""What the ledger knows of a consent that is kept here: what it counts for, and what has still to be brought there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from xinglin.access.consent.resource import commitment, rule_of
from xinglin.access.consent.rule import Counted, Rule
from xinglin.core.errors import BadInput, Conflict, StorageError
from xinglin.ledger.codes import Code
from xinglin.ledger.institution.signer import Signer
from xinglin.ledger.keys import consent_key
from xinglin.ledger.port import Ledger
from xinglin.ledger.transactions import cbor

__all__ = [
    "FILE",
    "GRANTED",
    "PUTTING",
    "WITHDRAWING",
    "WITHDRAWN",
    "Kept",
    "bring",
    "compiled",
    "counted",
    "counts",
]

FILE = "consents.sqlite"
"""The name of the file that keeps the consents."""

PUTTING = "putting"
GRANTED = "granted"
WITHDRAWING = "withdrawing"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Kept:
    """One consent as it is kept.

    Args:
        handle: Its handle, 32 hex digits.
        person: Whose it is.
        salt: 32 bytes; with the text they open the commitment.
        text: Its canonical text.
        commitment: What the ledger holds.
        state: putting, granted, withdrawing or withdrawn.
    """

    handle: str
    person: int
    salt: bytes
    text: bytes
    commitment: bytes
    state: str


def counted(kept: Kept, ledger: Ledger | None) -> Counted | None:
    """What a kept consent counts for at the ledger's last commit; None for nothing.

    Args:
        kept: The consent.
        ledger: The ledger; None where it cannot be asked.

    Raises:
        LedgerUnavailable: It cannot answer now.
    """
    if kept.state == WITHDRAWN:
        return None
    rule = _remembered(kept.text)
    confirmed = counts(kept, _known(kept, ledger) if ledger else None, rule.person)
    return None if confirmed is None else Counted(kept.handle, Rule(kept.person, rule.root), confirmed)


def counts(kept: Kept, known: Mapping[str, Any] | None, named: int) -> bool | None:
    """Whether a kept consent may permit at the ledger's last commit; false where it may only forbid, None for nothing.

    Args:
        kept: The consent.
        known: What the ledger holds under its handle; None for nothing, or where it cannot be asked.
        named: The person whom its text names.
    """
    if kept.state == WITHDRAWN:
        return None
    if known is not None and known["withdrawn"]:
        return None
    # A text that was changed here opens no commitment; under another name than the text's own it may only forbid, too.
    genuine = commitment(kept.salt, kept.text) == kept.commitment
    confirmed = kept.state != WITHDRAWING and genuine and known is not None and known["commitment"] == kept.commitment
    return confirmed and named == kept.person


def compiled(text: bytes) -> Rule:
    """The rule of a text that is kept.

    Args:
        text: Its canonical text.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        return rule_of(json.loads(text))
    except (BadInput, ValueError) as error:
        raise StorageError("a consent that is kept cannot be read", source=FILE, remedy="restore a backup") from error


@lru_cache(maxsize=65_536)
def _remembered(text: bytes) -> Rule:
    return compiled(text)


def _known(kept: Kept, ledger: Ledger) -> dict[str, Any] | None:
    found = ledger.state(consent_key(kept.handle))
    return None if found is None else cbor.decode(found)


def bring(kept: Kept, ledger: Ledger, signer: Signer) -> bool:
    """Hand in the transaction that is missing.

    Args:
        kept: The consent.
        ledger: The ledger.
        signer: Who signs for the institution.

    Returns:
        Whether the ledger has it now.

    Raises:
        Conflict: The ledger refuses it.
        LedgerUnavailable: It cannot answer now.
    """
    known = _known(kept, ledger)
    handle = bytes.fromhex(kept.handle)
    if kept.state == PUTTING:
        if known is None:
            period = _remembered(kept.text).root.period
            body = {
                "handle": handle,
                "commitment": kept.commitment,
                "valid_from": max(0, int(period.start or 0)),
                "valid_until": None if period.end is None else max(0, int(period.end)),
                "previous": None,
            }
            return _submit(ledger, signer.sign("ConsentPut", body))
        return bool(known["commitment"] == kept.commitment)
    if kept.state == WITHDRAWING:
        # What never reached the ledger cannot be granted by it.
        if known is None or known["withdrawn"]:
            return True
        return _submit(ledger, signer.sign("ConsentWithdraw", {"handle": handle, "previous": kept.commitment}))
    return False


def _submit(ledger: Ledger, transaction: bytes) -> bool:
    receipt = ledger.submit([transaction])[0]
    if receipt.code is Code.CONSENT_WITHDRAWN:
        return True
    if receipt.code is not Code.OK:
        raise Conflict("the ledger refuses the consent", source=receipt.code.name, remedy=receipt.code.reason)
    return receipt.height is not None
