"""Which Patient a resource is about: by reference, by identifier, by search, or as a contained resource.

References: https://hl7.org/fhir/R4/references.html#literal and #logical, http.html#trules (conditional references).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

__all__ = ["IDENTIFIED", "by_identifier", "patient_of"]

IDENTIFIED = "?identifier="
"""How the id of a Patient begins that is named by an identifier; no real id has a question mark."""

_PATIENT = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#.*)?").fullmatch
_SEARCH = re.compile(r"(?:.*/)?Patient\?identifier=([^&]+)").fullmatch
_ELEMENTS = ("subject", "patient", "beneficiary", "individual", "for")


def patient_of(resource: dict[str, Any]) -> str | None:
    """The id of the Patient a resource is about; ``?identifier=system|value`` where an identifier names it.

    Args:
        resource: A resource that is not a Patient.

    Example:
        >>> patient_of({"subject": {"reference": "Patient/1"}})
        '1'
        >>> patient_of({"subject": {"reference": "Patient?identifier=urn:oid:1.2%7C77"}})
        '?identifier=urn:oid:1.2|77'
        >>> patient_of({"subject": {"type": "Patient", "identifier": {"value": "77"}}})
        '?identifier=77'
    """
    for element in _ELEMENTS:
        holder = resource.get(element)
        if type(holder) is dict and (found := _named(holder, resource)):
            return found
    return None


def by_identifier(identifier: Any) -> str | None:
    """How a Patient is named by an Identifier: ``?identifier=system|value``, without a system the value alone.

    Example:
        >>> by_identifier({"system": "urn:oid:1.2", "value": "77"}), by_identifier({"system": "urn:oid:1.2"})
        ('?identifier=urn:oid:1.2|77', None)
    """
    if type(identifier) is not dict or type(value := identifier.get("value")) is not str or not value.strip():
        return None
    system = identifier.get("system")
    return IDENTIFIED + (f"{system}|{value}" if type(system) is str and system else value)


def _named(holder: dict[str, Any], resource: dict[str, Any]) -> str | None:
    reference = holder.get("reference")
    if type(reference) is str and reference:
        if found := _literal(reference):
            return found
        if reference[0] == "#":
            return _contained(reference[1:], resource)
    return by_identifier(holder.get("identifier")) if holder.get("type", "Patient") == "Patient" else None


@lru_cache(maxsize=65_536)
def _literal(reference: str) -> str | None:
    if match := _PATIENT(reference):
        return match[1]
    search = _SEARCH(reference)
    return IDENTIFIED + unquote(search[1]) if search else None


def _contained(local: str, resource: dict[str, Any]) -> str | None:
    """A contained Patient has no name outside its resource, but its identifiers are names of the Patient."""
    inside = resource.get("contained")
    for one in inside if type(inside) is list else ():
        if type(one) is dict and one.get("id") in (local, f"#{local}") and one.get("resourceType") == "Patient":
            identifiers = one.get("identifier")
            return next(filter(None, map(by_identifier, identifiers if type(identifiers) is list else ())), None)
    return None
