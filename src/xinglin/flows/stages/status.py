"""What the region holds: every record received and what became of it, persons, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES

if TYPE_CHECKING:
    from xinglin.admission.stores import Stores

__all__ = ["status"]


def status(stores: Stores) -> dict[str, Any]:
    """The region in numbers.

    Returns:
        ``{"sites": [{"site", "kind", "batches", "received", "landed", "duplicate", "quarantined", "erased"}],
        "persons": n, "review": n, "tables": {name: rows}}``; at every site received = landed + duplicate + quarantined;
        erased counts landed resources that are gone since.
    """
    sites = []
    all_counts, erased = stores.landing.counts(), stores.landing.erased()
    for site in stores.landing.sites():
        counts = all_counts[site.name]
        sites.append(
            {
                "site": site.name,
                "kind": site.kind,
                "batches": len(stores.landing.batches(site.name)),
                "received": counts.received,
                "landed": counts.landed,
                "duplicate": counts.duplicate,
                "quarantined": counts.quarantined,
                "erased": erased[site.name],
            }
        )
    identity = stores.lake.snapshot("identity")
    mart = stores.lake.snapshot("mart")
    vocabulary = stores.lake.snapshot("vocabulary")
    tables = {name: mart.rows(name) for name in sorted(TABLES)} if mart else {}
    if vocabulary:
        tables |= {name: vocabulary.rows(name) for name in sorted(VOCABULARY_TABLES)}
    return {
        "sites": sites,
        "persons": mart.rows("person") if mart else 0,
        "review": identity.rows("review") if identity else 0,
        "tables": tables,
    }


def quarantined(stores: Stores, site: str, limit: int) -> list[tuple[Any, ...]]:
    """The records of one site that could not be landed, newest batch first; never their content.

    Args:
        stores: The region.
        site: The institution.
        limit: At most so many.

    Returns:
        (batch, file, position, reason, detail, bytes) of each.
    """
    import pyarrow.parquet as parquet

    stores.landing.site(site)
    rows: list[tuple[Any, ...]] = []
    for batch in reversed(stores.landing.batches(site)):
        path = batch.path / "quarantine.parquet"
        if len(rows) >= limit or not path.is_file():
            continue
        names = [source["name"] for source in batch.manifest["sources"]]
        columns = ["source", "member", "position", "reason", "detail", "original_bytes"]
        for one in parquet.read_table(path, columns=columns).to_pylist():
            file = names[one["source"]] + (f"!{one['member']}" if one["member"] else "")
            rows.append((batch.sequence, file, one["position"], one["reason"], one["detail"], one["original_bytes"]))
    return rows[:limit]
