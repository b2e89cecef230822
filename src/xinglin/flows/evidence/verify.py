"""Proof: every landed byte is as it was signed, and every mart row leads to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES
from xinglin.core.errors import NotFound, UsageError, VerificationFailed
from xinglin.ledger.keys import batch_key, site_key

if TYPE_CHECKING:
    from xinglin.admission.stores import Progress, Stores
    from xinglin.landing import VerifyReport
    from xinglin.ledger import Ledger

__all__ = ["Anchors", "Origin", "origin_of", "prove_row", "verify_all", "verify_anchors"]


@dataclass(frozen=True)
class Anchors:
    """How landed batches stand on the ledger.

    Args:
        anchored: Batches that the ledger holds as they lie here.
        waiting: Batches that are not anchored yet.
    """

    anchored: int
    waiting: int


def verify_all(stores: Stores, site: str | None = None, progress: Progress | None = None) -> VerifyReport:
    """Compute every file hash, leaf, Merkle root and signature again.

    Raises:
        VerificationFailed: Names the first file or resource that is not what was signed.
    """
    from xinglin.landing import verify

    return verify(
        stores.landing, site, progress=(lambda done, total: progress("verify", done, total)) if progress else None
    )


def verify_anchors(stores: Stores, ledger: Ledger, site: str | None = None) -> Anchors:
    """Compare every landed batch with what the ledger holds of it.

    Args:
        stores: The region.
        ledger: Its ledger.
        site: Only this site.

    Raises:
        VerificationFailed: Names the first batch that is not what was anchored, or that is gone.
    """
    from xinglin.ledger.transactions import cbor

    names = [site] if site else [one.name for one in stores.landing.sites()]
    anchored = waiting = 0
    for name in names:
        batches = stores.landing.batches(name)
        for batch in batches:
            found = ledger.state(batch_key(name, batch.sequence))
            if found is not None and cbor.decode(found)["manifest"].hex() != batch.digest:
                raise VerificationFailed("the batch is not the one that was anchored", source=str(batch.path))
            anchored, waiting = anchored + (found is not None), waiting + (found is None)
        last = ledger.state(site_key(name))
        if last is not None and cbor.decode(last)["sequence"] > len(batches):
            gone = cbor.decode(last)["sequence"]
            raise VerificationFailed(f"batch {gone}, which was anchored, is not there", source=name)
    return Anchors(anchored, waiting)


@dataclass(frozen=True)
class Origin:
    """Where a mart row comes from.

    Args:
        site: The institution.
        batch: Sequence of its batch.
        file: Name of the file in it.
        position: Row in the file, from 0.
        resource_type: FHIR resource type.
        resource_key: Key of the resource.
    """

    site: str
    batch: int
    file: str
    position: int
    resource_type: str
    resource_key: int


def origin_of(stores: Stores, row: str) -> Origin:
    """The landed resource that a mart row was made from.

    Args:
        stores: The region.
        row: ``table:id``, such as ``condition_occurrence:123``.

    Raises:
        UsageError: This names no row.
        NotFound: The mart has no such row.
    """
    from xinglin.flows.questions.sql import open_mart

    table, _, number = row.partition(":")
    if table not in TABLES or not number.isdigit():
        raise UsageError("a row is named TABLE:ID", source=row, remedy="for example condition_occurrence:123")
    found = open_mart(stores).execute(
        "SELECT site, batch, file, row, resource_type, resource_key FROM lineage WHERE table_name = ? AND row_id = ?"
        " ORDER BY ALL",
        [table, int(number)],
    )
    origin = found.fetchone()
    if origin is None:
        raise NotFound("the mart has no such row", source=row, remedy="ask for its id with xinglin sql")
    return Origin(*origin)


def prove_row(stores: Stores, row: str) -> dict[str, Any]:
    """Lead from one mart row to its resource, and prove that resource in its signed batch (RFC 6962, 2.1.1).

    Args:
        stores: The region.
        row: ``table:id``, such as ``condition_occurrence:123``.

    Returns:
        The steps of the proof in order; no content of the resource.

    Raises:
        NotFound: The mart has no such row.
        VerificationFailed: The proof does not hold.
    """
    from xinglin.landing import prove

    origin = origin_of(stores, row)
    proof = prove(stores.landing, origin.site, origin.batch, origin.file, origin.position)
    proof.check()
    return {
        "row": row,
        **vars(origin),
        "leaf": proof.leaf.hex(),
        "audit_path": [node.hex() for node in proof.path],
        "merkle_root": proof.root.hex(),
        "manifest_sha256": proof.manifest_sha256,
        "signature": proof.signature,
        "public_key": proof.public_key,
        "holds": True,
    }
