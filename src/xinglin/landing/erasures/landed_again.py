"""Erased persons who were landed again, for example by restoring an older backup."""

from __future__ import annotations

from xinglin.landing.store import Landing

__all__ = ["landed_again"]


def landed_again(landing: Landing, site: str) -> list[int]:
    """Keys of landed Patients that were erased at a site before.

    Args:
        landing: The region's landing.
        site: The site.
    """
    import pyarrow.parquet as pq

    gone = landing.erased_hashes(site)
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
