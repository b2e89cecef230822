"""Commitments to consents on the ledger: whether a stored consent is confirmed, and submitting what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from xinglin.access.consent.resource import commitment, rule_of
from xinglin.access.consent.rule import ActiveConsent, Rule
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
    "StoredConsent",
    "active_consent",
    "compiled",
    "is_confirmed",
    "submit_commitment",
]

FILE = "consents.sqlite"
"""File name of the consent database."""

PUTTING = "putting"
GRANTED = "granted"
WITHDRAWING = "withdrawing"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """One consent in the store.

    Args:
        handle: Handle, 32 hex digits.
        person: `person_id`.
        salt: 32 bytes; salt and text open the commitment.
        text: Canonical text.
        commitment: The commitment on the ledger.
        state: putting, granted, withdrawing or withdrawn.
    """

    handle: str
    person: int
    salt: bytes
    text: bytes
    commitment: bytes
    state: str


def active_consent(kept: StoredConsent, ledger: Ledger | None) -> ActiveConsent | None:
    """A stored consent as decisions use it at the ledger's last commit; None if it was withdrawn.

    Args:
        kept: The stored consent.
        ledger: The ledger; None if it is unavailable.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    if kept.state == WITHDRAWN:
        return None
    rule = _remembered(kept.text)
    confirmed = is_confirmed(kept, _known(kept, ledger) if ledger else None, rule.person)
    return None if confirmed is None else ActiveConsent(kept.handle, Rule(kept.person, rule.root), confirmed)


def is_confirmed(kept: StoredConsent, known: Mapping[str, Any] | None, named: int) -> bool | None:
    """Whether the ledger's last commit confirms a stored consent.

    A consent that is not confirmed can deny but not permit.

    Args:
        kept: The stored consent.
        known: The ledger's entry for its handle; None if there is none or the ledger is unavailable.
        named: `person_id` in its text.

    Returns:
        None if it was withdrawn and has no effect.
    """
    if kept.state == WITHDRAWN:
        return None
    if known is not None and known["withdrawn"]:
        return None
    # A changed text does not open the commitment. A consent that follows its person to another id can only deny.
    genuine = commitment(kept.salt, kept.text) == kept.commitment
    confirmed = kept.state != WITHDRAWING and genuine and known is not None and known["commitment"] == kept.commitment
    return confirmed and named == kept.person


def compiled(text: bytes) -> Rule:
    """Compile the canonical text of a stored consent.

    Args:
        text: Canonical text.

    Raises:
        StorageError: The text cannot be read.
    """
    try:
        return rule_of(json.loads(text))
    except (BadInput, ValueError) as error:
        raise StorageError("a stored consent cannot be read", source=FILE, remedy="restore a backup") from error


@lru_cache(maxsize=65_536)
def _remembered(text: bytes) -> Rule:
    return compiled(text)


def _known(kept: StoredConsent, ledger: Ledger) -> dict[str, Any] | None:
    found = ledger.state(consent_key(kept.handle))
    return None if found is None else cbor.decode(found)


def submit_commitment(kept: StoredConsent, ledger: Ledger, signer: Signer) -> bool:
    """Submit the transaction that a stored consent is waiting for.

    Args:
        kept: The stored consent.
        ledger: The ledger.
        signer: Signs for the institution.

    Returns:
        Whether the transaction is on the ledger.

    Raises:
        Conflict: The ledger refuses the transaction.
        LedgerUnavailable: The ledger does not answer.
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
        # A consent that never reached the ledger needs no withdrawal there.
        if known is None or known["withdrawn"]:
            return True
        return _submit(ledger, signer.sign("ConsentWithdraw", {"handle": handle, "previous": kept.commitment}))
    return False


def _submit(ledger: Ledger, transaction: bytes) -> bool:
    receipt = ledger.submit([transaction])[0]
    if receipt.code is Code.CONSENT_WITHDRAWN:
        return True
    if receipt.code is not Code.OK:
        raise Conflict("the ledger refused the consent", source=receipt.code.name, remedy=receipt.code.reason)
    return receipt.height is not None
