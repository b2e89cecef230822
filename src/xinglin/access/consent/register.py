"""A person's consent, from a file or a few words, to the store and the ledger."""

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
    from xinglin.access.consent.store import ConsentStore, Kept
    from xinglin.ledger import Ledger, Signer

__all__ = ["ConsentDesk", "Terms", "compose", "person_of", "read"]


@dataclass(frozen=True)
class Terms:
    """What a plain consent says.

    Args:
        permit: Whether it permits or denies.
        purposes: For which purposes; empty for all.
        actors: ``Practitioner/ID`` or ``Organization/NAME``; empty for anybody.
        classes: FHIR resource types or sensitivity labels; empty for all.
        until: The last day.
    """

    permit: bool
    purposes: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class ConsentDesk:
    """Where consents are put, withdrawn and looked up.

    Args:
        store: Keeps them.
        ledger: Holds a commitment to each.
        signer: Signs for the region.
    """

    store: ConsentStore
    ledger: Ledger
    signer: Signer

    def put(self, resource: Mapping[str, Any]) -> Kept:
        """Keep a consent.

        Args:
            resource: FHIR R4 Consent.
        """
        return self.store.put(resource, self.ledger, self.signer)

    def withdraw(self, handle: str, person: int) -> Kept:
        """Withdraw a consent of a person.

        Args:
            handle: Its handle.
            person: Whose it must be.

        Raises:
            NotFound: The person has no such consent.
        """
        self.one(handle, person)
        return self.store.withdraw(handle, self.ledger, self.signer)

    def one(self, handle: str, person: int) -> Kept:
        """One consent of a person.

        Args:
            handle: Its handle.
            person: Whose it must be.

        Raises:
            NotFound: The person has no such consent.
        """
        found = next((kept for kept in self.store.of(person) if kept.handle == handle), None)
        if found is None:
            raise NotFound("the person has no such consent", source=handle, remedy="xinglin consent list names them")
        return found

    def of(self, person: int) -> list[Kept]:
        """A person's consents; what the ledger could not be told before it is told now.

        Args:
            person: Whose.
        """
        self.store.settle(self.ledger, self.signer)
        return self.store.of(person)


def compose(person: int | None, terms: Terms) -> dict[str, Any]:
    """Write a plain Consent.

    Args:
        person: Whose it is.
        terms: What it says.

    Raises:
        UsageError: It is nobody's, or something in it has no name here.
    """
    from xinglin.access.consent.resource import write_consent
    from xinglin.access.terms.data_classes import LABEL_SYSTEM, SENSITIVE, TYPE_SYSTEM

    if person is None:
        raise UsageError("a consent is somebody's", remedy="add --person ID, or give a FHIR Consent as a file")
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
        NotFound: There is no such file.
        BadInput: It is no JSON object.
    """
    try:
        resource = json.loads(path.read_bytes())
    except OSError as error:
        raise NotFound(f"the consent cannot be read (errno {error.errno})", source=str(path)) from None
    except (ValueError, RecursionError):
        raise BadInput("the consent is no JSON", source=str(path)) from None
    if not isinstance(resource, dict):
        raise BadInput("the consent is no FHIR resource", source=str(path))
    return resource


def person_of(resource: Mapping[str, Any]) -> int:
    """Whose a consent is.

    Raises:
        BadInput: It cannot be understood wholly.
    """
    from xinglin.access.consent.resource import compile_consent

    return compile_consent(resource).person
