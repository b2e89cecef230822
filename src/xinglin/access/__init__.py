"""Access control: who may read or write which records, consents, and the audit log of every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinglin.access.audit.evidence import EventProof, holds
    from xinglin.access.audit.log import AuditLog, Unanchored
    from xinglin.access.consent.commitments import StoredConsent
    from xinglin.access.consent.resource import compile_consent, write_consent
    from xinglin.access.consent.store import ConsentStore
    from xinglin.access.credentials.actor import Actor, Claims, issue
    from xinglin.access.credentials.issuers import actor_key, create_issuer, load_issuers, revoke
    from xinglin.access.decisions.decision import Decision, Facts, Request, decide
    from xinglin.access.decisions.verdict import Verdict
    from xinglin.access.gate import Gate, Relation
    from xinglin.access.terms.data_classes import classes_of

__all__ = [
    "Actor",
    "AuditLog",
    "Claims",
    "ConsentStore",
    "Decision",
    "EventProof",
    "Facts",
    "Gate",
    "Relation",
    "Request",
    "StoredConsent",
    "Unanchored",
    "Verdict",
    "actor_key",
    "classes_of",
    "compile_consent",
    "create_issuer",
    "decide",
    "holds",
    "issue",
    "load_issuers",
    "revoke",
    "write_consent",
]

_HOMES = {
    "Actor": "credentials.actor",
    "Claims": "credentials.actor",
    "issue": "credentials.actor",
    "compile_consent": "consent.resource",
    "write_consent": "consent.resource",
    "ConsentStore": "consent.store",
    "StoredConsent": "consent.commitments",
    "classes_of": "terms.data_classes",
    "Decision": "decisions.decision",
    "Request": "decisions.decision",
    "Facts": "decisions.decision",
    "decide": "decisions.decision",
    "EventProof": "audit.evidence",
    "holds": "audit.evidence",
    "Gate": "gate",
    "Relation": "gate",
    "Verdict": "decisions.verdict",
    "actor_key": "credentials.issuers",
    "create_issuer": "credentials.issuers",
    "load_issuers": "credentials.issuers",
    "revoke": "credentials.issuers",
    "AuditLog": "audit.log",
    "Unanchored": "audit.log",
}


def __getattr__(name: str) -> Any:
    """Import a name on first use, which keeps the start of the command line fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
