"""One person's current resources from every institution, as far as the permit gives them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.core.errors import NotFound

if TYPE_CHECKING:
    from xinglin.admission.stores import Stores
    from xinglin.identity import LinkedRecord

__all__ = ["Found", "bundle", "read_record"]


@dataclass(frozen=True)
class Found:
    """One current resource.

    Args:
        site: The institution that sent it.
        resource_type: Its type.
        resource_id: Its id at the institution.
        text: The resource as FHIR JSON, as it was landed.
    """

    site: str
    resource_type: str
    resource_id: str
    text: str


def read_record(stores: Stores, person: int) -> list[Found]:
    """The current resources of a person, by site, type and id.

    Resources of a data class that the permit does not give are left out.

    Args:
        stores: The region, opened for this person.
        person: `person_id`.

    Raises:
        NotFound: Nobody has that `person_id`.
        AccessDenied: The region was opened for something else.
    """
    from xinglin.access.terms.data_classes import classes_of
    from xinglin.identity import records_of

    records = records_of(stores.lake, person)
    if not records:
        raise NotFound("nobody has this person_id", source="--person", remedy="look it up: xinglin identity links")
    gives = stores.lake.permit.gives
    sites = sorted({record.site for record in records})
    found = (one for site in sites for one in _landed(stores, site, records))
    given = [one for one in found if classes_of(json.loads(one.text)) <= gives]
    return sorted(given, key=lambda one: (one.site, one.resource_type, one.resource_id))


def _landed(stores: Stores, site: str, records: Collection[LinkedRecord]) -> Iterator[Found]:
    """The rows of one site that are about the person, without the versions that were replaced."""
    from xinglin.lake import connect
    from xinglin.landing.current import current_resources

    files = stores.landing.files(site=site)
    keys = ", ".join(str(record.patient_key) for record in records if record.site == site)
    current = current_resources(files, ["kind", "resource_id", "patient_key", "resource"])
    with connect(stores.settings.memory_mb, stores.settings.workers) as connection:
        rows = connection.execute(
            f"SELECT kind, resource_id, resource FROM {current} WHERE patient_key IN ({keys})"
        ).fetchall()
    for kind, resource_id, text in rows:
        yield Found(site, kind, resource_id, text)


def bundle(found: Collection[Found]) -> str:
    """The resources as a FHIR searchset Bundle; each stands in it as it was landed, to the last digit.

    Args:
        found: From `read_record`.

    Example:
        >>> print(bundle([Found("mercy", "Basic", "7", '{"resourceType":"Basic","id":"7"}')])[:75])
        {"resourceType":"Bundle","type":"searchset","total":1,"entry":[{"fullUrl":"
    """
    entries = ",\n".join(
        f'{{"fullUrl":{json.dumps(f"urn:xinglin:{one.site}:{one.resource_type}:{one.resource_id}")},'
        f'"resource":{one.text},"search":{{"mode":"match"}}}}'
        for one in found
    )
    listed = f',"entry":[{entries}]' if found else ""
    return f'{{"resourceType":"Bundle","type":"searchset","total":{len(found)}{listed}}}'
