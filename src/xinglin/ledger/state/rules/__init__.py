"""The rules: one pure state transition per transaction type, over the state and the block time only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xinglin.ledger.state.rules import anchors, consents, keys, members
from xinglin.ledger.state.rules.admission import Context, admit, prove, use_sequence
from xinglin.ledger.state.rules.members import apply_genesis, record_double_signing, validators
from xinglin.ledger.state.view import View
from xinglin.ledger.transactions.bodies import Body

__all__ = ["Context", "admit", "apply", "apply_genesis", "prove", "record_double_signing", "use_sequence", "validators"]

_RULES: dict[str, Callable[[View, Any, Context], None]] = {
    "InstitutionPropose": members.propose,
    "InstitutionVote": members.vote,
    "KeyRotate": keys.rotate,
    "KeyRevoke": keys.revoke,
    "DataAnchor": anchors.data,
    "BuildAnchor": anchors.build,
    "BackupAnchor": anchors.backup,
    "RestoreAttest": anchors.restore,
    "ConsentPut": consents.put,
    "ConsentWithdraw": consents.withdraw,
    "AccessBatch": anchors.access,
    "ErasureNotice": anchors.erasure,
}


def apply(view: View, body: Body, context: Context) -> None:
    """Apply the rule of a body.

    Raises:
        Refused: The state does not permit it; the caller rolls back.
    """
    _RULES[type(body).__name__](view, body, context)
