"""Anchor erasures on the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from xinglin.ledger.keys import batch_key, erasure_key

if TYPE_CHECKING:
    from xinglin.landing import Landing
    from xinglin.ledger import Ledger

__all__ = ["notices"]


def notices(landing: Landing, ledger: Ledger) -> Iterator[dict[str, Any]]:
    """The bodies of ErasureNotices that the ledger does not hold: the latest tombstone of every erased batch.

    Args:
        landing: Where the tombstones are.
        ledger: What holds the notices.
    """
    from xinglin.landing.tombstone import read_tombstones
    from xinglin.ledger.transactions import cbor

    for site in landing.sites():
        latest = {
            batch.sequence: (batch.manifest, tombstone.digest)
            for tombstone in read_tombstones(landing.folder(site.name))
            for batch in tombstone.batches
        }
        for sequence, (manifest, digest) in sorted(latest.items()):
            anchored = ledger.state(batch_key(site.name, sequence))
            held = ledger.state(erasure_key(site.name, sequence))
            if anchored and (held is None or cbor.decode(held)["tombstone"] != bytes.fromhex(digest)):
                yield {
                    "site": site.name,
                    "sequence": sequence,
                    "manifest": bytes.fromhex(manifest),
                    "tombstone": bytes.fromhex(digest),
                }
