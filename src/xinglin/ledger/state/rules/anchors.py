"""Rules for anchors: batches, builds, backups, restores, audit segments, erasures."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.keys import (
    backup_key,
    batch_key,
    build_key,
    erasure_key,
    restore_key,
    segment_key,
    site_key,
    stream_key,
)
from xinglin.ledger.state.rules.admission import Context
from xinglin.ledger.state.view import Entry, View
from xinglin.ledger.transactions.bodies import (
    AccessBatch,
    BackupAnchor,
    BuildAnchor,
    DataAnchor,
    ErasureNotice,
    RestoreAttest,
)
from xinglin.ledger.transactions.envelope import Refused

__all__ = ["access", "backup", "build", "data", "erasure", "restore"]


def _own(current: Entry | None, context: Context) -> Entry:
    if current is not None and current["institution"] != context.institution:
        raise Refused(Code.FOREIGN_NAME)
    return current or {}


def data(view: View, body: DataAnchor, context: Context) -> None:
    """DataAnchor: sets the next batch of a site."""
    where = site_key(body.site)
    site = _own(view.get(where), context)
    last = site.get("sequence", 0)
    if body.sequence <= last:
        anchored = view.get(batch_key(body.site, body.sequence)) or {}
        raise Refused(Code.ALREADY_ANCHORED if anchored.get("manifest") == body.manifest else Code.WRONG_SEQUENCE)
    if body.sequence != last + 1:
        raise Refused(Code.WRONG_SEQUENCE)
    if body.previous != site.get("manifest"):
        raise Refused(Code.WRONG_PREVIOUS)
    latest = {"institution": context.institution, "sequence": body.sequence, "manifest": body.manifest}
    view.put(where, latest)
    batch = {"manifest": body.manifest, "root": body.root, "size": body.size, "schema": body.schema}
    view.put(batch_key(body.site, body.sequence), {**batch, "transaction": context.digest})


def build(view: View, body: BuildAnchor, context: Context) -> None:
    """BuildAnchor: sets the latest mart or model of a name."""
    where = build_key(body.kind, body.name)
    current = _own(view.get(where), context)
    if body.previous != current.get("output"):
        raise Refused(Code.WRONG_PREVIOUS)
    entry = {"institution": context.institution, "output": body.output, "code": body.code}
    view.put(where, {**entry, "transaction": context.digest})


def backup(view: View, body: BackupAnchor, context: Context) -> None:
    """BackupAnchor: sets the latest backup of a name."""
    where = backup_key(body.name)
    current = _own(view.get(where), context)
    if body.previous != current.get("root"):
        raise Refused(Code.WRONG_PREVIOUS)
    view.put(where, {"institution": context.institution, "root": body.root, "transaction": context.digest})


def restore(view: View, body: RestoreAttest, context: Context) -> None:
    """RestoreAttest: sets the latest attestation per institution and backup."""
    where = restore_key(context.institution, body.backup)
    view.put(where, {"app_hash": body.app_hash, "transaction": context.digest})


def access(view: View, body: AccessBatch, context: Context) -> None:
    """AccessBatch: adds one segment of an audit log; segments may arrive in any order."""
    name = body.stream.hex()
    stream = stream_key(name)
    if not _own(view.get(stream), context):
        view.put(stream, {"institution": context.institution})
    where = segment_key(name, body.root.hex())
    if view.get(where) is not None:
        raise Refused(Code.ALREADY_ANCHORED)
    span = {"count": body.count, "first": body.first, "last": body.last, "transaction": context.digest}
    view.put(where, span)


def erasure(view: View, body: ErasureNotice, context: Context) -> None:
    """ErasureNotice: sets the latest tombstone of a batch and counts them."""
    _own(view.get(site_key(body.site)), context)
    anchored = view.get(batch_key(body.site, body.sequence))
    if anchored is None or anchored["manifest"] != body.manifest:
        raise Refused(Code.UNKNOWN_BATCH)
    where = erasure_key(body.site, body.sequence)
    current = view.get(where) or {"count": 0, "tombstone": None}
    if current["tombstone"] == body.tombstone:
        raise Refused(Code.ALREADY_ANCHORED)
    entry = {"manifest": body.manifest, "tombstone": body.tombstone, "count": current["count"] + 1}
    view.put(where, {**entry, "transaction": context.digest})
