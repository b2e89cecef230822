"""What proof files prove: a batch, a landed resource, an access, a consent. Reading them needs no region.

| kind | item | hangs on |
|---|---|---|
| batch | the manifest as its site signed it | the DataAnchor that has its hash |
| row | the leaf of a resource, or its text, and the way to the batch's root; the manifest if wanted | likewise |
| access | an AuditEvent, or its leaf, and the way to its segment's root | the AccessBatch that has this root |
| consent | a handle; the Consent and its salt where they are shown | the entry of the state, or that there is none |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xinglin.core.errors import VerificationFailed
from xinglin.core.merkle import leaf_hash
from xinglin.ledger.keys import consent_key
from xinglin.ledger.proofs.check import Checked, Checker, fields_of, invalid
from xinglin.ledger.proofs.path import audit_path_root, leaf_index
from xinglin.ledger.transactions.bodies import AccessBatch, DataAnchor

__all__ = ["Proven", "verify_proof"]


@dataclass(frozen=True)
class Proven:
    """What a proof file proves.

    Args:
        kind: batch, row, access or consent.
        facts: What is proved, by name.
        height: The block of the ledger after which it holds.
        time: Unix seconds: it was so by then.
        by: Who vouches for it.
    """

    kind: str
    facts: dict[str, Any]
    height: int
    time: int
    by: str


def verify_proof(content: bytes, checker: Checker) -> Proven:
    """Check a proof file.

    Args:
        content: The file.
        checker: What is believed.

    Raises:
        VerificationFailed: Names the first item that does not hold.
    """
    checked = checker.check(content)
    read = _KINDS.get(checked.kind)
    if read is None:
        raise invalid("kind", "there is no such kind of proof")
    anchored = checked.anchored
    return Proven(checked.kind, read(checked), anchored.height, anchored.time, anchored.by)


def _anchor_facts(checked: Checked) -> dict[str, Any]:
    assert checked.envelope is not None
    placed = {} if checked.index is None else {"log_index": checked.index, "log_size": checked.anchored.size}
    return {"institution": checked.envelope.institution, **placed, "app_hash": checked.anchored.app_hash}


def _data_anchor(checked: Checked) -> DataAnchor:
    if not isinstance(checked.body, DataAnchor):
        raise invalid("transaction", "it anchors no batch")
    return checked.body


def _batch(checked: Checked) -> dict[str, Any]:
    body = _data_anchor(checked)
    (signed,) = fields_of(checked.item, "item", batch=list)
    return _batch_facts(body) | _signed(body, signed) | _anchor_facts(checked)


def _batch_facts(body: DataAnchor) -> dict[str, Any]:
    named = {"site": body.site, "sequence": body.sequence, "resources": body.size, "form": body.schema}
    return {**named, "manifest_sha256": body.manifest, "merkle_root": body.root}


def _signed(body: DataAnchor, signed: list[Any]) -> dict[str, Any]:
    """The manifest is the anchored one, says what the anchor says, and its site signed it."""
    from xinglin.landing.manifest import check_signature

    if len(signed) != 3 or not all(type(one) is bytes for one in signed):
        raise invalid("manifest", "it is manifest, signature and public key")
    manifest, signature, public_key = signed
    if hashlib.sha256(manifest).digest() != body.manifest:
        raise invalid("manifest", "it is not the one that was anchored")
    try:
        told = json.loads(manifest)
        same = (told["site"], told["sequence"], told["merkle_root"], told["counts"]["landed"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise invalid("manifest", "it cannot be read") from error
    if same != (body.site, body.sequence, body.root.hex(), body.size):
        raise invalid("manifest", "it says something else than its anchor")
    try:
        check_signature(public_key.hex(), manifest, signature.hex().encode(), where=body.site)
    except VerificationFailed as error:
        raise invalid("manifest's signature", error.what) from error
    return {"site_key": public_key, "landed_at": told.get("time")}


def _row(checked: Checked) -> dict[str, Any]:
    body = _data_anchor(checked)
    leaf, resource, path, signed = fields_of(
        checked.item, "item", leaf=bytes, resource=(type(None), bytes), path=bytes, batch=(type(None), list)
    )
    shown = _shown(leaf, resource, "resource")
    if audit_path_root(leaf, path, "resource path") != body.root:
        raise invalid("resource or its path", "they do not lead to the root of the batch")
    facts = {"leaf": leaf, "number": leaf_index(path, body.size, "resource path"), **_batch_facts(body)}
    return facts | ({} if signed is None else _signed(body, signed)) | shown | _anchor_facts(checked)


def _shown(leaf: bytes, text: bytes | None, what: str) -> dict[str, Any]:
    if text is None:
        return {}
    if leaf_hash(text) != leaf:
        raise invalid(what, "its text does not have this leaf hash")
    return {what: text.decode("utf-8", "replace")}


def _access(checked: Checked) -> dict[str, Any]:
    body = checked.body
    if not isinstance(body, AccessBatch):
        raise invalid("transaction", "it anchors no accesses")
    leaf, event, path = fields_of(checked.item, "item", leaf=bytes, event=(type(None), bytes), path=bytes)
    shown = _shown(leaf, event, "event")
    if audit_path_root(leaf, path, "event path") != body.root:
        raise invalid("event or its path", "they do not lead to the root of the segment")
    place = leaf_index(path, body.count, "event path")
    facts = {"leaf": leaf, "number": place, "segment_events": body.count, "stream": body.stream}
    return facts | {"first_us": body.first, "last_us": body.last} | shown | _anchor_facts(checked)


def _consent(checked: Checked) -> dict[str, Any]:
    handle, opened = fields_of(checked.item, "item", handle=bytes, opened=(type(None), list))
    if checked.key != consent_key(handle.hex()):
        raise invalid("handle", "it is not that of the state's key")
    entry = checked.entry
    facts: dict[str, Any] = {"handle": handle, "app_hash": checked.anchored.app_hash}
    if entry is None:
        if opened is not None:
            raise invalid("opened consent", "the ledger has none")
        return facts | {"status": "none"}
    ended = entry["valid_until"] is not None and entry["valid_until"] <= checked.anchored.time
    status = "withdrawn" if entry["withdrawn"] else "ended" if ended else "current"
    facts |= {"status": status, "institution": entry["institution"]}
    facts |= {name: entry[name] for name in ("commitment", "valid_from", "valid_until")}
    if opened is None:
        return facts
    if len(opened) != 2 or not all(type(one) is bytes for one in opened):
        raise invalid("opened consent", "it is a salt and a text")
    salt, text = opened
    if len(salt) != 32 or hashlib.sha256(salt + text).digest() != entry["commitment"]:
        raise invalid("opened consent", "it is not what was committed to")
    return facts | {"consent": text.decode("utf-8", "replace")}


_KINDS: dict[str, Callable[[Checked], dict[str, Any]]] = {
    "batch": _batch,
    "row": _row,
    "access": _access,
    "consent": _consent,
}
