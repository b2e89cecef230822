"""The composition root: settings and a decision become the adapters that the flows work with."""

from xinglin.wiring.anchoring import anchor_region
from xinglin.wiring.ledgers import (
    open_checkpoints,
    open_consents,
    open_ledger,
    open_prover,
    open_signer,
    reachable_ledger,
)
from xinglin.wiring.region import assemble, decided, init_region, open_gate, open_region
from xinglin.wiring.runners import open_door, open_runner

__all__ = [
    "anchor_region",
    "assemble",
    "decided",
    "init_region",
    "open_checkpoints",
    "open_consents",
    "open_door",
    "open_gate",
    "open_ledger",
    "open_prover",
    "open_region",
    "open_runner",
    "open_signer",
    "reachable_ledger",
]
