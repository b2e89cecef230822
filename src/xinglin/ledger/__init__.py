"""What several institutions agree on: who consented to what, who looked at what, and the root of every batch and build."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.envelope import digest_of, key_id_of
from xinglin.ledger.port import ConsistencyProof, Header, Ledger, Logged, LogProof, MapProof, Receipt

__all__ = [
    "Code",
    "ConsistencyProof",
    "Header",
    "Ledger",
    "LogProof",
    "Logged",
    "MapProof",
    "Receipt",
    "digest_of",
    "key_id_of",
]
