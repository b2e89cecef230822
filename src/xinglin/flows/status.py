"""What the region holds: every record received and what became of it, persons, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinglin.flows.stores import Stores

__all__ = ["status"]


def status(stores: Stores) -> dict[str, Any]:
    """The region in numbers.

    Returns:
        ``{"sites": [{"site", "kind", "batches", "received", "landed", "duplicate", "quarantined"}], "persons": n,
        "review": n, "tables": {name: rows}}``; at every site received = landed + duplicate + quarantined.
    """
    sites = []
    for site in stores.landing.sites():
        counts = stores.landing.counts()[site.name]
        sites.append(
            {
                "site": site.name,
                "kind": site.kind,
                "batches": len(stores.landing.batches(site.name)),
                "received": counts.received,
                "landed": counts.landed,
                "duplicate": counts.duplicate,
                "quarantined": counts.quarantined,
            }
        )
    identity = stores.lake.snapshot("identity")
    mart = stores.lake.snapshot("mart")
    vocabulary = stores.lake.snapshot("vocabulary")
    tables = {name: mart.rows(name) for name in sorted(mart.tables)} if mart else {}
    if vocabulary:
        tables |= {name: vocabulary.rows(name) for name in sorted(vocabulary.tables)}
    return {
        "sites": sites,
        "persons": mart.rows("person") if mart else 0,
        "review": identity.rows("review") if identity else 0,
        "tables": tables,
    }
