"""The ledger: commitments to consents, and roots of access logs, batches, builds, models and backups."""

from __future__ import annotations

from xinglin.ledger.codes import Code
from xinglin.ledger.embedded import EmbeddedLedger
from xinglin.ledger.institution.signer import Signer, last_sequence
from xinglin.ledger.port import ConsistencyProof, Header, Ledger, LogEntry, LogProof, MapProof, Receipt
from xinglin.ledger.state.audit import check_store
from xinglin.ledger.state.genesis import Founder, Genesis
from xinglin.ledger.state.machine import BlockResult, Machine, app_hash_of
from xinglin.ledger.state.store import Store
from xinglin.ledger.transactions.envelope import digest_of, key_id_of

__all__ = [
    "BlockResult",
    "Code",
    "ConsistencyProof",
    "EmbeddedLedger",
    "Founder",
    "Genesis",
    "Header",
    "Ledger",
    "LogEntry",
    "LogProof",
    "Machine",
    "MapProof",
    "Receipt",
    "Signer",
    "Store",
    "app_hash_of",
    "check_store",
    "digest_of",
    "key_id_of",
    "last_sequence",
]
