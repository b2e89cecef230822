"""Persons who were erased and are here again, as after the restore of a backup that knew them."""

from __future__ import annotations

from xinglin.landing.store import Landing

__all__ = ["returned"]


def returned(landing: Landing, site: str) -> list[int]:
    """Keys of landed Patients that are among what must not land again at a site.

    Args:
        landing: Where.
        site: The site.
    """
    import pyarrow.parquet as pq

    gone = landing.forgotten(site)
    if gone is None:
        return []
    found: set[int] = set()
    for batch in landing.batches(site):
        for file in batch.files("Patient"):
            table = pq.read_table(file.path, columns=["key", "resource_id"])
            rows = zip(table["key"].to_pylist(), table["resource_id"].to_pylist(), strict=True)
            # An erased row has no id.
            found |= {key for key, resource_id in rows if resource_id and gone.holds("Patient", resource_id, None)}
    return sorted(found)
