"""Making proof files out of a region: what is in its landing, its audit log and its consents, for a stranger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import AccessDenied, NotFound
from xinglin.ledger.keys import batch_key, consent_key, segment_key
from xinglin.ledger.proofs.path import with_sides
from xinglin.ledger.transactions import cbor

if TYPE_CHECKING:
    from xinglin.access import AuditLog, StoredConsent
    from xinglin.admission.stores import Stores
    from xinglin.landing import Batch, Landing
    from xinglin.ledger import Ledger
    from xinglin.ledger.proofs.make import Prover
    from xinglin.ledger.proofs.trust import Trust

__all__ = ["access_file", "batch_file", "consent_file", "row_file", "row_on_ledger"]


def batch_file(prover: Prover, landing: Landing, ledger: Ledger, site: str, sequence: int) -> bytes:
    """Prove that a batch was landed as its site signed it. The manifest names the files that the site sent.

    Raises:
        NotFound: There is no such batch, or it is not anchored yet.
    """
    batch = next((one for one in landing.batches(site) if one.sequence == sequence), None)
    if batch is None:
        raise NotFound("there is no such batch", source=f"{site}, batch {sequence}", remedy="see: xinglin status")
    if _redacted(batch):
        raise NotFound(
            "the manifest that was anchored named an erased person and is gone",
            source=f"{site}, batch {sequence}",
            remedy="prove single rows; the site's tombstone names the manifest's digest",
        )
    return prover.of_transaction("batch", {"batch": _signed(landing, batch)}, _anchor_of(ledger, site, sequence))


def _redacted(batch: Batch) -> bool:
    """Whether an erasure took names of received files out of the manifest."""
    return batch.change is not None and batch.change.redacted is not None


def _signed(landing: Landing, batch: Batch) -> list[bytes]:
    signature = bytes.fromhex((batch.path / "manifest.sig").read_text().strip())
    return [batch.manifest_bytes, signature, bytes.fromhex(landing.site(batch.site).public_key)]


def _anchor_of(ledger: Ledger, site: str, sequence: int) -> bytes:
    return _transaction(ledger, batch_key(site, sequence), f"{site}, batch {sequence}")


def _transaction(ledger: Ledger, key: bytes, what: str) -> bytes:
    """The digest of the transaction that anchored something."""
    found = ledger.state(key)
    if found is None:
        raise NotFound("the ledger does not hold it yet", source=what, remedy="run: xinglin ledger anchor")
    digest: bytes = cbor.decode(found)["transaction"]
    return digest


def row_file(
    prover: Prover, stores: Stores, ledger: Ledger, row: str, *, person: int | None = None, manifest: bool = False
) -> bytes:
    """Prove that the resource behind a mart row was landed.

    Args:
        prover: Makes the file.
        stores: The region.
        ledger: The ledger.
        row: ``table:id``, such as ``condition_occurrence:123``.
        person: Show the resource itself, which must be of this person, whom the region was opened for; None shows
            hashes.
        manifest: Show the manifest too, which the site signed and which names the files it sent.

    Raises:
        NotFound: There is no such row, not of this person, or its batch is not anchored yet.
        AccessDenied: The person's consents withhold it.
    """
    from xinglin.flows.evidence.verify import origin_of
    from xinglin.landing import prove

    origin = origin_of(stores, row)
    proof = prove(stores.landing, origin.site, origin.batch, origin.file, origin.position)
    proof.check()
    batch = next(one for one in stores.landing.batches(origin.site) if one.sequence == origin.batch)
    item: dict[str, Any] = {
        "leaf": proof.leaf,
        "resource": None if person is None else _resource(stores, batch, (origin.file, origin.position), person),
        "path": with_sides(proof.index, proof.size, proof.path),
        # A redacted manifest is not the anchored one; the anchor itself has the root, which is what a row needs.
        "batch": _signed(stores.landing, batch) if manifest and not _redacted(batch) else None,
    }
    return prover.of_transaction("row", item, _anchor_of(ledger, origin.site, origin.batch))


def row_on_ledger(prover: Prover, trust: Trust, stores: Stores, ledger: Ledger, row: str) -> dict[str, Any]:
    """Where the batch behind a mart row stands on the ledger, checked as a stranger would.

    Args:
        prover: Makes a proof file.
        trust: What it is checked against.
        stores: The region.
        ledger: The ledger.
        row: ``table:id``.

    Raises:
        NotFound: The batch is not anchored yet.
        VerificationFailed: The ledger does not hold what lies here.
    """
    from xinglin.flows.evidence.check import verify_proof
    from xinglin.ledger.proofs.check import Checker

    proven = verify_proof(row_file(prover, stores, ledger, row, manifest=True), Checker(trust))
    kept = ("institution", "log_index", "log_size", "app_hash")
    facts = {name: proven.facts[name] for name in kept if name in proven.facts}
    return {"anchored": True, **facts, "height": proven.height, "vouched_by": proven.by}


def _resource(stores: Stores, batch: Batch, place: tuple[str, int], person: int) -> bytes:
    """The text of one resource, by file and row, as far as it is the person's and the permit gives it."""
    import pyarrow.parquet as pq

    from xinglin.access.terms.data_classes import classes_of
    from xinglin.identity import records_of

    file, position = place
    keys = {record.patient_key for record in records_of(stores.lake, person) if record.site == batch.site}
    with pq.ParquetFile(batch.path / file) as parquet:
        for rows in parquet.iter_batches(batch_size=4_096, columns=["resource", "patient_key"]):
            if position < len(rows):
                if rows["patient_key"][position].as_py() not in keys:
                    raise NotFound("the row is not of this person", source="--person")
                text: str = rows["resource"][position].as_py()
                if not classes_of(json.loads(text)) <= stores.lake.permit.gives:
                    raise AccessDenied("the person has denied this kind of record", source="consent-denies")
                return text.encode()
            position -= len(rows)
    raise NotFound("the file has fewer rows than its batch says", source=file)


def access_file(prover: Prover, audit: AuditLog, ledger: Ledger, event: str, *, content: bool = True) -> bytes:
    """Prove that an access was written down when it happened.

    Args:
        prover: Makes the file.
        audit: The audit log.
        ledger: The ledger.
        event: The AuditEvent's id.
        content: Show the event itself, not only its hash.

    Raises:
        NotFound: There is no such event, or its segment is not anchored yet.
    """
    from xinglin.core.merkle import leaf_hash

    proof = audit.prove(event)
    item = {
        "leaf": leaf_hash(proof.event),
        "event": proof.event if content else None,
        "path": with_sides(proof.index, proof.seal.count, proof.path),
    }
    digest = _transaction(ledger, segment_key(proof.stream.hex(), proof.seal.root), event)
    return prover.of_transaction("access", item, digest)


def consent_file(prover: Prover, handle: str, kept: StoredConsent | None = None) -> bytes:
    """Prove what the ledger holds of a consent now: current, withdrawn, or nothing.

    Args:
        prover: Makes the file.
        handle: The consent's handle, 32 hex digits.
        kept: The consent with its salt, to show what was agreed to; None shows the commitment alone.
    """
    name = bytes.fromhex(handle)
    opened = [kept.salt, kept.text] if kept else None
    return prover.of_state("consent", {"handle": name, "opened": opened}, consent_key(name.hex()))
