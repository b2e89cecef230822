"""The consent register: take a consent from a file or from options, store it, commit to it on the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.core.clock import wall_clock
from xinglin.core.errors import BadInput, NotFound, UsageError

if TYPE_CHECKING:
    from xinglin.access.consent.store import ConsentStore, StoredConsent
    from xinglin.ledger import Ledger, Signer

__all__ = ["ConsentRegister", "Terms", "compose", "person_of", "read"]


@dataclass(frozen=True)
class Terms:
    """The terms of a consent with one provision.

    Args:
        permit: True to permit, false to deny.
        purposes: Purposes of use; empty for all.
        actors: ``Practitioner/ID`` or ``Organization/NAME``; empty for everyone.
        classes: FHIR resource types or sensitivity labels; empty for all.
        until: The last day.
    """

    permit: bool
    purposes: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class ConsentRegister:
    """Registers, withdraws and lists consents.

    Args:
        store: Stores the consents.
        ledger: Holds a commitment to each consent.
        signer: Signs for the region.
    """

    store: ConsentStore
    ledger: Ledger
    signer: Signer

    def put(self, resource: Mapping[str, Any]) -> StoredConsent:
        """Register a consent.

        Args:
            resource: FHIR R4 Consent as parsed JSON.
        """
        return self.store.put(resource, self.ledger, self.signer)

    def withdraw(self, handle: str, person: int) -> StoredConsent:
        """Withdraw a consent of a person.

        Args:
            handle: The consent's handle.
            person: `person_id` that the consent must belong to.

        Raises:
            NotFound: The person has no such consent.
        """
        self.one(handle, person)
        return self.store.withdraw(handle, self.ledger, self.signer)

    def one(self, handle: str, person: int) -> StoredConsent:
        """One consent of a person.

        Args:
            handle: The consent's handle.
            person: `person_id` that the consent must belong to.

        Raises:
            NotFound: The person has no such consent.
        """
        found = next((kept for kept in self.store.of(person) if kept.handle == handle), None)
        if found is None:
            raise NotFound(
                "the person has no such consent",
                source=handle,
                remedy="list them: xinglin consent list",
            )
        return found

    def of(self, person: int) -> list[StoredConsent]:
        """A person's consents, after pending transactions were submitted to the ledger.

        Args:
            person: `person_id`.
        """
        self.store.submit_pending(self.ledger, self.signer)
        return self.store.of(person)


def compose(person: int | None, terms: Terms) -> dict[str, Any]:
    """Write a FHIR Consent with one provision.

    Args:
        person: `person_id`.
        terms: The consent's terms.

    Raises:
        UsageError: No person is given.
    """
    from xinglin.access.consent.resource import write_consent
    from xinglin.access.terms.data_classes import LABEL_SYSTEM, SENSITIVE, TYPE_SYSTEM

    if person is None:
        raise UsageError("no person given", remedy="add --person ID, or name a file with a FHIR Consent")
    narrowed: dict[str, Any] = {}
    if terms.until is not None:
        narrowed["period"] = {"end": terms.until.date().isoformat()}
    if terms.actors:
        role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
        narrowed["actor"] = [{"role": role, "reference": {"reference": name}} for name in terms.actors]
    types = [name for name in terms.classes if name not in SENSITIVE]
    labels = [name for name in terms.classes if name in SENSITIVE]
    if types:
        narrowed["class"] = [{"system": TYPE_SYSTEM, "code": name} for name in types]
    if labels:
        narrowed["securityLabel"] = [{"system": LABEL_SYSTEM, "code": name} for name in labels]
    moment = wall_clock().replace(microsecond=0).isoformat()
    return write_consent(person, moment, permit=terms.permit, purposes=terms.purposes, narrowed=narrowed)


def read(path: Path) -> dict[str, Any]:
    """Read a FHIR Consent from a file.

    Raises:
        NotFound: The file cannot be read.
        BadInput: The file is not a JSON object.
    """
    try:
        resource = json.loads(path.read_bytes())
    except OSError as error:
        raise NotFound(f"the file cannot be read (errno {error.errno})", source=str(path)) from None
    except (ValueError, RecursionError):
        raise BadInput("the consent is not JSON", source=str(path)) from None
    if not isinstance(resource, dict):
        raise BadInput("the consent is not a FHIR resource", source=str(path))
    return resource


def person_of(resource: Mapping[str, Any]) -> int:
    """The `person_id` that a Consent names as its patient.

    Raises:
        BadInput: The Consent is invalid or uses elements that are not supported.
    """
    from xinglin.access.consent.resource import compile_consent

    return compile_consent(resource).person
