"""Landing: append-only batches of FHIR resources, signed by the site that sent them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinglin.landing.check.proof import Proof, prove
    from xinglin.landing.check.verification import VerifyReport, verify
    from xinglin.landing.erasures.erase import Erased, erase, finish
    from xinglin.landing.erasures.landed_again import landed_again
    from xinglin.landing.pool import Pool, worker_pool
    from xinglin.landing.receive import IngestReport, ingest
    from xinglin.landing.spool import MessageSpool, ObjectSpool, Segment, Spool, SpoolLimits, messages
    from xinglin.landing.store import KINDS, REGISTRY, STAGE, Batch, Counts, LandedFile, Landing, Site

__all__ = [
    "KINDS",
    "REGISTRY",
    "STAGE",
    "Batch",
    "Counts",
    "Erased",
    "IngestReport",
    "LandedFile",
    "Landing",
    "MessageSpool",
    "ObjectSpool",
    "Pool",
    "Proof",
    "Segment",
    "Site",
    "Spool",
    "SpoolLimits",
    "VerifyReport",
    "erase",
    "finish",
    "ingest",
    "landed_again",
    "messages",
    "prove",
    "verify",
    "worker_pool",
]

_MODULES = {
    "Erased": "erasures.erase",
    "erase": "erasures.erase",
    "finish": "erasures.erase",
    "IngestReport": "receive",
    "ingest": "receive",
    "Pool": "pool",
    "worker_pool": "pool",
    "MessageSpool": "spool",
    "ObjectSpool": "spool",
    "SpoolLimits": "spool",
    "Segment": "spool",
    "Spool": "spool",
    "messages": "spool",
    "Proof": "check.proof",
    "prove": "check.proof",
    "landed_again": "erasures.landed_again",
    "VerifyReport": "check.verification",
    "verify": "check.verification",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is used first, so that the command line starts fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'store')}"), name)
