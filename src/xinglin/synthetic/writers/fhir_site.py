"""FHIR resources about the institution itself: Organization, Location, Practitioner."""

from __future__ import annotations

from functools import cache

import orjson

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.names import chinese_name, latin_name
from xinglin.synthetic.population.places import CITY, draw_address, draw_phone
from xinglin.synthetic.streams import digest, stream
from xinglin.synthetic.writers import Lines
from xinglin.synthetic.writers.fhir_pieces import HL7

__all__ = ["PRACTITIONERS", "SiteReferences", "institution_lines", "site_references"]

PRACTITIONERS = 24
_PLACES = {
    "AMB": ("HOSP-OP", "Outpatient department"),
    "EMER": ("ER", "Emergency department"),
    "IMP": ("HU", "Ward"),
}
_OPENED = "2010-01-01T08:00:00+08:00"


def _uuid(*words: object) -> str:
    token = digest(*words)
    return f"{token[:8]}-{token[8:12]}-5{token[13:16]}-9{token[17:20]}-{token[20:]}"


class SiteReferences:
    """References to a site's own resources, as JSON.

    Args:
        site: The institution.
        seed: The region's seed.
    """

    def __init__(self, site: Site, seed: int) -> None:
        self.organization_id = _uuid(seed, site.name, "organization")
        self.practitioner_ids = tuple(_uuid(seed, site.name, "practitioner", number) for number in range(PRACTITIONERS))
        self.location_ids = {setting: _uuid(seed, site.name, "location", setting) for setting in _PLACES}
        self.organization = f'{{"reference":"Organization/{self.organization_id}"}}'
        self._practitioners = tuple(f'{{"reference":"Practitioner/{one}"}}' for one in self.practitioner_ids)
        self._locations = {setting: f'{{"reference":"Location/{one}"}}' for setting, one in self.location_ids.items()}

    def practitioner(self, number: int) -> str:
        """A reference to a practitioner; the number wraps around."""
        return self._practitioners[number % PRACTITIONERS]

    def practitioner_id(self, number: int) -> str:
        """The id of a practitioner; the number wraps around."""
        return self.practitioner_ids[number % PRACTITIONERS]

    def location(self, setting: str) -> str:
        """A reference to the location for encounters of a setting."""
        return self._locations[setting]


@cache
def site_references(site: Site, seed: int) -> SiteReferences:
    """The references of a site, made once per process."""
    return SiteReferences(site, seed)


def _title(site: Site) -> str:
    return site.name.replace("-", " ").title()


def _practitioner(site: Site, seed: int, number: int) -> dict[str, object]:
    rng = stream(seed, number, f"practitioner/{site.name}")
    sex = "female" if rng.random() < 0.5 else "male"
    name = chinese_name(sex, rng) if rng.random() < 0.9 else latin_name(sex, rng)
    return {
        "resourceType": "Practitioner",
        "id": _uuid(seed, site.name, "practitioner", number),
        "meta": {"lastUpdated": _OPENED},
        "identifier": [
            {"system": "urn:xinglin:practitioner-licence", "value": f"{site.index + 1:04d}{number + 1:04d}"}
        ],
        "active": True,
        "name": [{"family": name.family, "given": [name.given]}],
        "gender": sex,
    }


def institution_lines(site: Site, seed: int) -> Lines:
    """Lines of the institution, its locations and its staff."""
    rng = stream(seed, site.index, "institution")
    home = draw_address(rng)
    organization = _uuid(seed, site.name, "organization")
    address = {
        "line": [home.line(True, terse=False)],
        "city": CITY[0],
        "district": home.district_name(True),
        "postalCode": home.postal_code,
        "country": "CN",
    }
    owner = {
        "resourceType": "Organization",
        "id": organization,
        "meta": {"lastUpdated": _OPENED},
        "active": True,
        "type": [{"coding": [{"system": f"{HL7}/organization-type", "code": "prov"}], "text": site.kind}],
        "name": _title(site),
        "telecom": [{"system": "phone", "value": draw_phone(rng)}],
        "address": [address],
    }
    places = [
        {
            "resourceType": "Location",
            "id": _uuid(seed, site.name, "location", setting),
            "meta": {"lastUpdated": _OPENED},
            "status": "active",
            "name": f"{_title(site)}, {title}",
            "mode": "instance",
            "type": [{"coding": [{"system": f"{HL7}/v3-RoleCode", "code": code}]}],
            "address": address,
            "managingOrganization": {"reference": f"Organization/{organization}"},
        }
        for setting, (code, title) in _PLACES.items()
    ]
    staff = [_practitioner(site, seed, number) for number in range(PRACTITIONERS)]
    return {
        "Organization": [orjson.dumps(owner).decode()],
        "Location": [orjson.dumps(place).decode() for place in places],
        "Practitioner": [orjson.dumps(person).decode() for person in staff],
    }
