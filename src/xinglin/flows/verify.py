"""Proof: every landed byte is as it was signed, and every mart row leads to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES
from xinglin.core.errors import NotFound, UsageError

if TYPE_CHECKING:
    from xinglin.flows.stores import Progress, Stores
    from xinglin.landing import VerifyReport

__all__ = ["prove_row", "verify_all"]


def verify_all(stores: Stores, site: str | None = None, progress: Progress | None = None) -> VerifyReport:
    """Compute every file hash, leaf, Merkle root and signature again.

    Raises:
        VerificationFailed: Names the first file or resource that is not what was signed.
    """
    from xinglin.landing import verify

    return verify(
        stores.landing, site, progress=(lambda done, total: progress("verify", done, total)) if progress else None
    )


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
    from xinglin.flows.answer import open_mart
    from xinglin.landing import prove

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
    site, batch, file, position, resource_type, key = origin
    proof = prove(stores.landing, site, batch, file, position)
    proof.check()
    return {
        "row": row,
        "site": site,
        "batch": batch,
        "file": file,
        "position": position,
        "resource_type": resource_type,
        "resource_key": key,
        "leaf": proof.leaf.hex(),
        "audit_path": [node.hex() for node in proof.path],
        "merkle_root": proof.root.hex(),
        "manifest_sha256": proof.manifest_sha256,
        "signature": proof.signature,
        "public_key": proof.public_key,
        "holds": True,
    }
