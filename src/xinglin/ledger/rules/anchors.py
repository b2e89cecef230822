"""Roots of what exists elsewhere: batches, builds, backups, audit segments, erasures."""

from __future__ import annotations

from xinglin.ledger.bodies import AccessBatch, BackupAnchor, BuildAnchor, DataAnchor, ErasureNotice, RestoreAttest
from xinglin.ledger.codes import Code
from xinglin.ledger.envelope import Refused
from xinglin.ledger.rules.admission import Context
from xinglin.ledger.view import Entry, View

__all__ = ["access", "backup", "build", "data", "erasure", "restore"]


def _own(current: Entry | None, context: Context) -> Entry:
    if current is not None and current["institution"] != context.institution:
        raise Refused(Code.FOREIGN_NAME)
    return current or {}


def data(view: View, body: DataAnchor, context: Context) -> None:
    """DataAnchor: the next batch of a site."""
    where = b"site/" + body.site.encode()
    site = _own(view.get(where), context)
    last = site.get("sequence", 0)
    if body.sequence <= last:
        anchored = view.get(_batch(body)) or {}
        raise Refused(Code.ALREADY_ANCHORED if anchored.get("manifest") == body.manifest else Code.WRONG_SEQUENCE)
    if body.sequence != last + 1:
        raise Refused(Code.WRONG_SEQUENCE)
    if body.previous != site.get("manifest"):
        raise Refused(Code.WRONG_PREVIOUS)
    latest = {"institution": context.institution, "sequence": body.sequence, "manifest": body.manifest}
    view.put(where, latest)
    batch = {"manifest": body.manifest, "root": body.root, "size": body.size, "schema": body.schema}
    view.put(_batch(body), {**batch, "transaction": context.digest})


def _batch(body: DataAnchor | ErasureNotice) -> bytes:
    return b"data/%s/%08d" % (body.site.encode(), body.sequence)


def build(view: View, body: BuildAnchor, context: Context) -> None:
    """BuildAnchor: the latest mart or model of a name."""
    where = f"build/{body.kind}/{body.name}".encode()
    current = _own(view.get(where), context)
    if body.previous != current.get("output"):
        raise Refused(Code.WRONG_PREVIOUS)
    entry = {"institution": context.institution, "output": body.output, "code": body.code}
    view.put(where, {**entry, "transaction": context.digest})


def backup(view: View, body: BackupAnchor, context: Context) -> None:
    """BackupAnchor: the latest backup of a name."""
    where = b"backup/" + body.name.encode()
    current = _own(view.get(where), context)
    if body.previous != current.get("root"):
        raise Refused(Code.WRONG_PREVIOUS)
    view.put(where, {"institution": context.institution, "root": body.root, "transaction": context.digest})


def restore(view: View, body: RestoreAttest, context: Context) -> None:
    """RestoreAttest: a statement for the log; the latest of each institution and backup is kept."""
    where = f"restore/{context.institution}/{body.backup.hex()}".encode()
    view.put(where, {"app_hash": body.app_hash, "transaction": context.digest})


def access(view: View, body: AccessBatch, context: Context) -> None:
    """AccessBatch: one segment of an audit log, once; segments may come in any order."""
    name = body.stream.hex()
    stream = f"stream/{name}".encode()
    if not _own(view.get(stream), context):
        view.put(stream, {"institution": context.institution})
    where = f"access/{name}/{body.root.hex()}".encode()
    if view.get(where) is not None:
        raise Refused(Code.ALREADY_ANCHORED)
    span = {"count": body.count, "first": body.first, "last": body.last, "transaction": context.digest}
    view.put(where, span)


def erasure(view: View, body: ErasureNotice, context: Context) -> None:
    """ErasureNotice: the latest tombstone of a batch and how many there were."""
    _own(view.get(b"site/" + body.site.encode()), context)
    anchored = view.get(_batch(body))
    if anchored is None or anchored["manifest"] != body.manifest:
        raise Refused(Code.UNKNOWN_BATCH)
    where = b"erasure/%s/%08d" % (body.site.encode(), body.sequence)
    current = view.get(where) or {"count": 0, "tombstone": None}
    if current["tombstone"] == body.tombstone:
        raise Refused(Code.ALREADY_ANCHORED)
    entry = {"manifest": body.manifest, "tombstone": body.tombstone, "count": current["count"] + 1}
    view.put(where, {**entry, "transaction": context.digest})
