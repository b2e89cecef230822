"""A deleted resource: an entry with DELETE (http.html#history), a line of a bulk export's ``deleted`` files.

It is landed as a version of the resource that says no more than its type, its id and when it was deleted; such a
version is never current, so nothing is made of the resource.
"""

from __future__ import annotations

from typing import Any

import msgspec

from xinglin.core.fhir_times import is_instant, microseconds
from xinglin.sources.fhir.addresses import address_of
from xinglin.sources.fhir.resource_types import RESOURCE_TYPES
from xinglin.sources.record import Rejected, Resource

__all__ = ["DELETED", "deletion"]

DELETED = {"system": "urn:xinglin:tag", "code": "deleted"}
"""The tag of a version that says that the resource was deleted."""


def deletion(target: str, full_url: str, changed: Any) -> Resource | Rejected:
    """The version of a resource that says that it was deleted.

    Args:
        target: ``entry.request.url``.
        full_url: ``entry.fullUrl``, for entries without it.
        changed: When it was deleted, an instant; None where that is not known.

    Example:
        >>> deletion("Patient/1", "", "2024-05-01T00:00:00Z").text
        b'{"resourceType":"Patient","id":"1","meta":{"lastUpdated":"2024-05-01T00:00:00Z",\
"tag":[{"system":"urn:xinglin:tag","code":"deleted"}]}}'
        >>> deletion("Patient?identifier=1", "", None).reason
        'unsupported-request'
    """
    at = address_of(target) or (None if "?" in target else address_of(full_url))
    if at is None or at.resource_type not in RESOURCE_TYPES:
        return Rejected("unsupported-request", "expected a DELETE of one resource by its id (Type/id) at request.url")
    when = changed if isinstance(changed, str) and is_instant(changed) else None
    meta = ({"lastUpdated": when} if when else {}) | {"tag": [DELETED]}
    text = msgspec.json.encode({"resourceType": at.resource_type, "id": at.resource_id, "meta": meta})
    patient = at.resource_id if at.resource_type == "Patient" else None
    updated = microseconds(when) if when else None
    return Resource(at.resource_type, at.resource_id, patient, text, updated, deleted=True)
