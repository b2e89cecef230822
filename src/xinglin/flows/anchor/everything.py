"""Anchor what exists and the ledger does not hold yet: landed batches, mart builds, backups, segments of the audit log.

What is to be anchored is found by comparing, not remembered: a ledger that could not be reached costs nothing but time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import LedgerUnavailable, VerificationFailed
from xinglin.core.merkle import leaf_hash, root_of
from xinglin.flows.anchor.erasures import notices
from xinglin.ledger.codes import Code
from xinglin.ledger.keys import build_key, site_key
from xinglin.ledger.transactions import cbor

if TYPE_CHECKING:
    from pathlib import Path

    from xinglin.access import AuditLog
    from xinglin.admission.stores import Stores
    from xinglin.lake import Snapshot
    from xinglin.landing import Batch, Landing
    from xinglin.ledger import Ledger, Signer

__all__ = ["SCHEMA", "AnchorReport", "anchor_all", "mart_build", "output_root"]

SCHEMA = "FHIR R4 JSON, landing manifest 1"
"""The form of what is landed, as DataAnchor names it."""
MART = "mart"
_GROUP = 1_000
# What the next attempt does not meet again: others were faster, or it took too long.
_PASSING = {Code.OK, Code.EXPIRED, Code.REPLAYED_SEQ, Code.STALE_SEQ, Code.WRONG_SEQUENCE, Code.WRONG_PREVIOUS}

Wanted = tuple[str, dict[str, Any]]
"""Type and body of a transaction."""


@dataclass(frozen=True)
class AnchorReport:
    """What was anchored now.

    Args:
        batches: Landed batches.
        builds: Builds of the mart.
        segments: Segments of the audit log.
        erasures: Tombstones of erased batches.
        backups: Backups of the region.
        left: How many transactions wait for a commit or were refused.
        reason: Why something is left, in words.
        remedy: What somebody must do about it; empty when anchoring again is enough.
    """

    batches: int = 0
    builds: int = 0
    segments: int = 0
    erasures: int = 0
    backups: int = 0
    left: int = 0
    reason: str = ""
    remedy: str = ""


def anchor_all(
    stores: Stores, ledger: Ledger, signer: Signer, audit: AuditLog | None = None, wait: float | None = None
) -> AnchorReport:
    """Anchor whatever is there and may be read, and is not anchored.

    Args:
        stores: The region, as far as its permit goes.
        ledger: Where to.
        signer: For whom.
        audit: The audit log.
        wait: Seconds to wait for each group of transactions; None waits as long as it takes.

    Returns:
        What was anchored. Where another batch stands in the place of an anchored one, the report says so, and nothing
        that may rest on it is anchored; other sites, backups and the audit log are.
    """
    report = AnchorReport()
    replaced: list[VerificationFailed] = []
    try:
        if stores.landing.permit.allows("landing"):
            for wave in _waves(stores.landing, ledger, replaced):
                report = _submit(report, "batches", wave, ledger, signer, wait)
            if not replaced:
                erased: list[Wanted] = [("ErasureNotice", body) for body in notices(stores.landing, ledger)]
                report = _submit(report, "erasures", erased, ledger, signer, wait)
                if stores.lake.permit.allows("mart"):
                    report = _submit(report, "builds", _builds(stores, ledger), ledger, signer, wait)
        report = _backups(report, stores.settings.home, ledger, signer, wait)
        if audit is not None:
            sealed: list[Wanted] = [("AccessBatch", dict(one.body)) for one in audit.unanchored(ledger)]
            for start in range(0, len(sealed), _GROUP):
                report = _submit(report, "segments", sealed[start : start + _GROUP], ledger, signer, wait)
    except LedgerUnavailable as error:
        report = replace(report, reason=error.what)
    if replaced:
        report = replace(report, reason=replaced[0].what, remedy=replaced[0].remedy)
    return report


def _backups(report: AnchorReport, home: Path, ledger: Ledger, signer: Signer, wait: float | None) -> AnchorReport:
    from xinglin.flows.anchor.backups import anchor_backups, pending_backups

    found = pending_backups(home, ledger)
    if not found:
        return report
    anchor_backups(home, ledger, signer, wait)
    left = pending_backups(home, ledger)
    reason = report.reason or ("a backup is not on the ledger yet" if left else "")
    return replace(report, backups=found - left, left=report.left + left, reason=reason)


def _submit(
    report: AnchorReport, what: str, wanted: Sequence[Wanted], ledger: Ledger, signer: Signer, wait: float | None
) -> AnchorReport:
    if not wanted:
        return report
    receipts = ledger.submit([signer.sign(kind, body) for kind, body in wanted], wait)
    done = sum(one.code is Code.OK and one.height is not None for one in receipts)
    # Whoever anchors at the same moment may have been faster, which leaves nothing to do.
    open_ = [one.code for one in receipts if one.code is not Code.ALREADY_ANCHORED and one.height is None]
    refused = sorted({code.reason for code in open_ if code is not Code.OK})
    lasting = any(code not in _PASSING for code in open_)
    return replace(
        report,
        **{what: getattr(report, what) + done},
        left=report.left + len(open_),
        reason=report.reason or "; ".join(refused) or ("the commit was not waited for" if open_ else ""),
        remedy=report.remedy or ("as things are it will be refused again" if lasting else ""),
    )


def _waves(landing: Landing, ledger: Ledger, replaced: list[VerificationFailed]) -> Iterator[list[Wanted]]:
    """The next batch of every site, then the one after it, since the ledger takes each site's in order."""
    new: list[list[dict[str, Any]]] = []
    for site in landing.sites():
        try:
            new.append(_new_batches(landing, ledger, site.name))
        except VerificationFailed as error:
            replaced.append(error)
    for wave in zip_longest(*new):
        yield [("DataAnchor", body) for body in wave if body is not None]


def _new_batches(landing: Landing, ledger: Ledger, site: str) -> list[dict[str, Any]]:
    found = ledger.state(site_key(site))
    entry = cbor.decode(found) if found else {}
    last: int = entry.get("sequence", 0)
    batches = landing.batches(site)
    known = next((batch for batch in batches if batch.sequence == last), None)
    if last and (known is None or bytes.fromhex(known.digest) != entry["manifest"]):
        raise VerificationFailed(
            f"the ledger holds another batch {last} of {site} than the one that lies here",
            source=site,
            remedy="run: xinglin verify",
        )
    return [_data(batch) for batch in batches if batch.sequence > last]


def _data(batch: Batch) -> dict[str, Any]:
    manifest = batch.manifest
    previous = manifest["previous"]
    return {
        "site": batch.site,
        "sequence": batch.sequence,
        "manifest": bytes.fromhex(batch.digest),
        "root": bytes.fromhex(manifest["merkle_root"]),
        "size": manifest["counts"]["landed"],
        "schema": SCHEMA,
        "previous": bytes.fromhex(previous) if previous else None,
    }


def _builds(stores: Stores, ledger: Ledger) -> list[Wanted]:
    snapshot = stores.lake.snapshot("mart")
    if snapshot is None:
        return []
    found = ledger.state(build_key("mart", MART))
    before = cbor.decode(found)["output"] if found else None
    body = mart_build(stores.landing, snapshot, before)
    return [] if body["output"] == before else [("BuildAnchor", body)]


def mart_build(landing: Landing, snapshot: Snapshot, previous: bytes | None) -> dict[str, Any]:
    """The body of a BuildAnchor for what the mart shows.

    Args:
        landing: The batches that it was made from.
        snapshot: What is shown.
        previous: The output that the ledger holds.
    """
    from xinglin import __version__
    from xinglin.mart.queries import code_digest

    keys = (key for unit in snapshot.state["units"].values() for key in unit["landed"])
    read = {(site, int(batch)) for site, batch, _ in (key.split("/", 2) for key in keys)}
    manifests = [batch.digest for batch in landing.all_batches() if (batch.site, batch.sequence) in read]
    return {
        "kind": "mart",
        "name": MART,
        "inputs": [root_of([leaf_hash(bytes.fromhex(one)) for one in manifests])],
        "code": f"xinglin {__version__}, mart {code_digest()}",
        "output": output_root(snapshot),
        "previous": previous,
    }


def output_root(snapshot: Snapshot) -> bytes:
    """RFC 6962 root over the files that a snapshot shows: table, name (made from the content), rows and bytes.

    Args:
        snapshot: A stage's snapshot.
    """
    files = sorted((table, *file.to_json()) for table, some in snapshot.tables.items() for file in some)
    return root_of([leaf_hash(json.dumps(file, separators=(",", ":")).encode()) for file in files])
