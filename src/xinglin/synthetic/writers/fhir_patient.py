"""The FHIR Patient resource of a registration."""

from __future__ import annotations

from typing import Any

import orjson

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import clock_text, day_text

__all__ = ["RESIDENT_ID_SYSTEM", "patient_line"]

# Object identifier of the resident identity number in the Chinese health data sets (WS/T 500).
RESIDENT_ID_SYSTEM = "urn:oid:2.16.156.10011.1.3"
_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def _identifiers(site: Site, card: Registration) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "use": "usual",
            "type": {"coding": [{"system": _TYPES, "code": "MR"}]},
            "system": f"urn:xinglin:{site.name}:patient",
            "value": card.number,
        }
    ]
    if card.national_id is not None:
        passport = f"http://hl7.org/fhir/sid/passport-{card.id_country}"
        found.append(
            {
                "use": "official",
                "type": {"coding": [{"system": _TYPES, "code": "PPN" if card.id_country else "NI"}]},
                "system": passport if card.id_country else RESIDENT_ID_SYSTEM,
                "value": card.national_id,
            }
        )
    return found


def patient_line(site: Site, card: Registration) -> str:
    """A Patient as one line of JSON."""
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": card.local_id,
        "meta": {"lastUpdated": clock_text(card.updated)},
        "identifier": _identifiers(site, card),
        "active": True,
        "name": [{"use": "official", "text": card.shown_name, "family": card.family, "given": [card.given]}],
    }
    if card.phone is not None:
        resource["telecom"] = [{"system": "phone", "value": card.phone, "use": "mobile"}]
    if card.sex is not None:
        resource["gender"] = card.sex
    if card.birth is not None:
        resource["birthDate"] = card.birth
    if card.died is not None:
        resource["deceasedDateTime"] = clock_text(card.died)
    if card.line is not None:
        resource["address"] = [
            {
                "use": "home",
                "line": [card.line],
                "city": card.city,
                "district": card.district,
                "postalCode": card.postal_code,
                "country": "CN",
                "period": {"start": day_text(card.day)},
            }
        ]
    return orjson.dumps(resource).decode()
