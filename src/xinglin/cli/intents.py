"""The request for access of every command; no command opens a region without an entry here."""

from __future__ import annotations

from collections.abc import Iterable

from xinglin.core.intent import Intent
from xinglin.core.permit import EVERY

__all__ = ["INTENTS", "UNDECIDED"]


def _intent(action: str, reads: str = "", writes: Iterable[str] = (), *, population: bool = False) -> Intent:
    """An intent without a purpose: unless an option gives one, it is the purpose of the actor's role."""
    return Intent(action, frozenset(reads.split()), frozenset(writes), "", population=population)


_MART = "mart vocabulary"
_ASK = _intent("ask", _MART, population=True)
_PROGRAM = _intent("program", _MART, population=True)
_STATUS = _intent("status", f"landing identity {_MART}")
_REVIEW = _intent("review", "landing identity")
_DECIDE = _intent("review", "landing identity", ["identity"])
_KEYS = _intent("administer")
_ADMINISTER = _intent("administer", "sites landing", ["sites", "landing"])
_INGEST = _intent("ingest", "landing", ["landing"])
_LOG = _intent("log", "identity")
_CONSENT = _intent("consent")

INTENTS: dict[str, Intent | None] = {
    "access issue": _KEYS,
    "access log": _LOG,
    "access relate": _intent("refer"),
    "access revoke": _KEYS,
    "backup create": _intent("backup", EVERY),
    "backup keygen": None,
    "backup list": None,
    "backup prune": _intent("backup"),
    "backup restore": _intent("restore", EVERY, [EVERY]),
    "backup verify": None,
    "consent grant": _CONSENT,
    "consent list": _CONSENT,
    "consent withdraw": _CONSENT,
    "erase": _intent("erase", EVERY, [EVERY]),
    "extract": _intent("extract", _MART, population=True),
    "demo": _intent("work", EVERY, [EVERY]),
    "identity history": _REVIEW,
    "identity links": _REVIEW,
    "identity merge": _DECIDE,
    "identity review": _REVIEW,
    "identity split": _DECIDE,
    "identity systems": _REVIEW,
    "identity why": _REVIEW,
    "ingest": _INGEST,
    "init": None,
    "job run": _PROGRAM,
    "ledger demo": None,
    "ledger anchor": _intent("verify", f"landing {_MART}"),
    "ledger audit": _intent("verify"),
    "ledger checkpoint": _KEYS,
    "ledger init-validator": _KEYS,
    "ledger join": _KEYS,
    "ledger propose": _KEYS,
    "ledger prove access": _LOG,
    "ledger prove batch": _intent("verify", "landing"),
    "ledger prove consent": _CONSENT,
    "ledger prove row": _intent("verify", f"landing {_MART}"),
    "ledger revoke-key": _KEYS,
    "ledger rotate-key": _KEYS,
    "ledger start": _intent("serve"),
    "ledger status": _intent("status"),
    "ledger verify-proof": None,
    "ledger vote": _KEYS,
    "ledger watch": None,
    "ledger witness": None,
    "link": _intent("work", "landing identity", ["identity"]),
    "listen": _INGEST,
    "mart build": _intent("work", f"landing identity {_MART}", ["mart"]),
    "mart check": _intent("work", _MART),
    "mart waive": _ADMINISTER,
    "messages": None,
    "quarantine": _intent("status", "landing"),
    "record": _intent("read", "landing identity"),
    "region generate": None,
    "run": _intent("work", f"landing identity {_MART}", ["landing", "sites", "identity", "mart"]),
    "site add": _ADMINISTER,
    "site list": _intent("status", "sites"),
    "site set": _ADMINISTER,
    "source profile": None,
    "spark thrift": _PROGRAM,
    "sql": _ASK,
    "status": _STATUS,
    "verify": _intent("verify", f"landing {_MART}"),
    "view check": None,
    "view run": _intent("view", "landing identity", population=True),
    "view sql": None,
    "view suite": None,
    "vocabulary load": _intent("work", "vocabulary", ["vocabulary"]),
}
"""Intents by command; None for a command without an access decision, for the reason in `UNDECIDED`."""

UNDECIDED = {
    "backup keygen": "writes a key pair to a file that the caller names; opens no region",
    "backup list": "reads names, sizes and roots from a backup target, as any keeper of a copy can; opens no region",
    "backup verify": "reads a backup target and shows nothing of its content; any keeper of a copy can check it",
    "init": "makes an empty region and its owner's credential, which the first decision needs",
    "ledger demo": "makes regions of its own to try out a consortium; each validator that it starts checks access",
    "ledger verify-proof": "reads a proof and a genesis that the caller has; made for readers without access",
    "ledger watch": "runs a witness from the witness's own folder; opens no region",
    "ledger witness": "cosigns with the witness's own key, from its own folder; opens no region",
    "messages": "reads messages that the caller has, outside every region",
    "region generate": "writes synthetic data to a folder that the caller names",
    "source profile": "reads a table that the caller has, outside every region",
    "view check": "reads the view's own file",
    "view sql": "reads the view's own file",
    "view suite": "reads the published tests of the standard",
}
"""Why a command needs no access decision: it uses only data that the caller has without the region."""
