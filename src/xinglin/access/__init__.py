"""Access: who may do what with whose records, and the log of every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinglin.access.actor import Actor, Claims, issue
    from xinglin.access.commitments import Kept
    from xinglin.access.consent import compile_consent, write_consent
    from xinglin.access.consents import ConsentStore
    from xinglin.access.data_classes import classes_of
    from xinglin.access.decision import Decision, Request, World, decide
    from xinglin.access.evidence import EventProof, holds
    from xinglin.access.gate import Gate, Relation
    from xinglin.access.issuers import actor_key, create_issuer, load_issuers, revoke
    from xinglin.access.log import AuditLog, Unanchored
    from xinglin.access.verdict import Verdict, denied

__all__ = [
    "Actor",
    "AuditLog",
    "Claims",
    "ConsentStore",
    "Decision",
    "EventProof",
    "Gate",
    "Kept",
    "Relation",
    "Request",
    "Unanchored",
    "Verdict",
    "World",
    "actor_key",
    "classes_of",
    "compile_consent",
    "create_issuer",
    "decide",
    "denied",
    "holds",
    "issue",
    "load_issuers",
    "revoke",
    "write_consent",
]

_HOMES = {
    "Actor": "actor",
    "Claims": "actor",
    "issue": "actor",
    "compile_consent": "consent",
    "write_consent": "consent",
    "ConsentStore": "consents",
    "Kept": "commitments",
    "classes_of": "data_classes",
    "Decision": "decision",
    "Request": "decision",
    "World": "decision",
    "decide": "decision",
    "EventProof": "evidence",
    "holds": "evidence",
    "Gate": "gate",
    "Relation": "gate",
    "Verdict": "verdict",
    "denied": "verdict",
    "actor_key": "issuers",
    "create_issuer": "issuers",
    "load_issuers": "issuers",
    "revoke": "issuers",
    "AuditLog": "log",
    "Unanchored": "log",
}


def __getattr__(name: str) -> Any:
    """Load a part of the door when it is used, so that the command line answers at once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
