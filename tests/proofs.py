"""A ledger with one of everything that can be proved, and proof files of it, without a region."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from tests.ledgers import START, Desk, TurnedClock, filled, genesis
from xinglin.core.merkle import audit_path, leaf_hash, root_of
from xinglin.landing.manifest import canonical, public_key, sign
from xinglin.ledger import EmbeddedLedger, digest_of
from xinglin.ledger.keys import consent_key
from xinglin.ledger.proofs.make import Prover
from xinglin.ledger.proofs.path import with_sides
from xinglin.ledger.witnesses.checkpoints import CheckpointStore

SITE_KEY = bytes([7]) * 32
RESOURCES = [json.dumps({"resourceType": "Basic", "id": str(number)}).encode() for number in range(11)]
EVENTS = [json.dumps({"resourceType": "AuditEvent", "id": f"e-{number}"}).encode() for number in range(5)]
HANDLE, OTHER, NEVER = bytes(16), bytes([1]) * 16, bytes([2]) * 16
SALT, CONSENT = bytes([9]) * 32, b'{"resourceType":"Consent"}'
KINDS = ("batch", "row", "row with all", "access", "access hidden", "consent", "consent withdrawn", "consent never")


@dataclass(frozen=True)
class Provable:
    """A ledger that holds a batch, accesses and consents, and what is needed to prove them."""

    ledger: EmbeddedLedger
    checkpoints: CheckpointStore
    desk: Desk
    manifest: bytes
    digests: dict[str, bytes]

    @property
    def signed(self) -> list[bytes]:
        signature = bytes.fromhex(sign(SITE_KEY, self.manifest).decode().strip())
        return [self.manifest, signature, bytes.fromhex(public_key(SITE_KEY))]

    def prover(self) -> Prover:
        return Prover(self.ledger, self.checkpoints.anchors(), self.checkpoints.trust)

    def file(self, kind: str, prover: Prover | None = None) -> bytes:
        prover = prover or self.prover()
        makers: dict[str, Callable[[], bytes]] = {
            "batch": lambda: prover.of_transaction("batch", {"batch": self.signed}, self.digests["batch"]),
            "row": lambda: prover.of_transaction("row", self._row(False), self.digests["batch"]),
            "row with all": lambda: prover.of_transaction("row", self._row(True), self.digests["batch"]),
            "access": lambda: prover.of_transaction("access", _access(True), self.digests["access"]),
            "access hidden": lambda: prover.of_transaction("access", _access(False), self.digests["access"]),
            "consent": lambda: prover.of_state("consent", _consent(HANDLE, True), consent_key(HANDLE.hex())),
            "consent withdrawn": lambda: prover.of_state("consent", _consent(OTHER, False), consent_key(OTHER.hex())),
            "consent never": lambda: prover.of_state("consent", _consent(NEVER, False), consent_key(NEVER.hex())),
        }
        return makers[kind]()

    def _row(self, whole: bool) -> dict[str, Any]:
        leaves = [leaf_hash(one) for one in RESOURCES]
        return {
            "leaf": leaves[4],
            "resource": RESOURCES[4] if whole else None,
            "path": with_sides(4, len(leaves), audit_path(leaves, 4)),
            "batch": self.signed if whole else None,
        }


def _access(shown: bool) -> dict[str, Any]:
    leaves = [leaf_hash(one) for one in EVENTS]
    path = with_sides(3, len(leaves), audit_path(leaves, 3))
    return {"leaf": leaves[3], "event": EVENTS[3] if shown else None, "path": path}


def _consent(handle: bytes, shown: bool) -> dict[str, Any]:
    return {"handle": handle, "opened": [SALT, CONSENT] if shown else None}


def provable(folder: Path, **powers: int) -> Provable:
    """Make one in a folder."""
    ledger = EmbeddedLedger.create(folder, genesis(**powers), TurnedClock())
    checkpoints = CheckpointStore(folder, folder / "checkpoint.key", ledger.chain_id)
    desk = Desk(next(iter(powers), "hospital"))
    root = root_of([leaf_hash(one) for one in RESOURCES])
    counts = {"landed": len(RESOURCES)}
    manifest = canonical({"site": "lab", "sequence": 1, "merkle_root": root.hex(), "counts": counts, "time": "now"})
    data = {"site": "lab", "sequence": 1, "manifest": hashlib.sha256(manifest).digest(), "root": root}
    seen = {"root": root_of([leaf_hash(one) for one in EVENTS]), "count": len(EVENTS), "stream": bytes(16)}
    first = START * 1_000_000
    given = {"valid_from": START, "valid_until": None, "previous": None}
    transactions = {
        "batch": desk.sign("DataAnchor", data | {"size": len(RESOURCES), "schema": "FHIR R4", "previous": None}),
        "access": desk.sign("AccessBatch", seen | {"first": first, "last": first + 5}),
        "consent": desk.sign("ConsentPut", given | {"handle": HANDLE, "commitment": _commitment()}),
        "other": desk.sign("ConsentPut", given | {"handle": OTHER, "commitment": filled(5)}),
        "gone": desk.sign("ConsentWithdraw", {"handle": OTHER, "previous": filled(5)}),
    }
    for transaction in transactions.values():
        assert ledger.submit([transaction])[0].code.name == "OK"
    return Provable(ledger, checkpoints, desk, manifest, {name: digest_of(one) for name, one in transactions.items()})


def _commitment() -> bytes:
    return hashlib.sha256(SALT + CONSENT).digest()


def signing(number: int) -> SigningKey:
    return SigningKey(bytes([number]) * 32)
