"""The error of a refused request: what was refused, who may do it, and how to fix it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xinglin.core.errors import AccessDenied

if TYPE_CHECKING:
    from pathlib import Path

    from xinglin.core.intent import Intent

__all__ = ["refusal"]

_ISSUED = "use a credential that the region's owner issued: --as FILE"
_RENEW = "ask the region's owner for a new one: xinglin access issue"
_READ_BY_PATH = "read-by-path"
_TEXTS = {
    "no-credential": ("no credential", _ISSUED),
    "credential-malformed": ("the credential cannot be read", _ISSUED),
    "credential-algorithm": ("the credential is not signed with Ed25519", _ISSUED),
    "credential-unknown-issuer": ("the credential was signed by an unknown issuer", _ISSUED),
    "credential-forged": ("the signature of the credential is invalid", _ISSUED),
    "credential-other-audience": ("the credential is for another region", _ISSUED),
    "credential-expired": ("the credential has expired", _RENEW),
    "credential-not-yet-valid": ("the credential is not valid yet", "check the clock, or " + _ISSUED),
    "credential-revoked": ("the credential was revoked", _RENEW),
    "credential-unknown-role": ("the credential names an unknown role", _ISSUED),
    "unknown-purpose": (
        "the purpose of use is unknown",
        "set --purpose to TREAT, HRESCH, HOPERAT, PATRQT, HSYSADMIN, …",
    ),
    "not-own-record": ("a patient may do this only with their own record", "use your own person_id"),
    "no-relation": (
        "the person is not a patient of your institution",
        "register a referral: xinglin access relate; in an emergency add --break-glass REASON",
    ),
    "other-site": ("a site agent may deliver only records of its own site", "use the site of the credential"),
    "break-glass-without-reason": ("emergency access needs a reason", "add --break-glass REASON"),
    "consent-denies": ("the person has denied this", "only the person can change it: xinglin consent"),
    "consent-missing": ("the person has not granted this", "only the person can grant it: xinglin consent grant"),
}


def refusal(reason: str, intent: Intent, roles: tuple[str, ...], credential: Path | None = None) -> AccessDenied:
    """The error of a refusal that is in the audit log.

    Args:
        reason: The decision's reason.
        intent: The refused intent.
        roles: Roles of the actor.
        credential: File of the credential.

    Example:
        >>> from pathlib import Path
        >>> from xinglin.core.intent import Intent
        >>> refusal("credential-expired", Intent("read"), ()).what
        'refused: the credential has expired'
        >>> refusal("no-credential", Intent("read"), (), Path("lin.jws")).what
        'refused: no credential: lin.jws does not exist'
    """
    what, remedy = _TEXTS.get(reason, ("", ""))
    if reason == "no-credential" and credential is not None:
        # os.path.exists does not raise if a folder on the path cannot be entered.
        found = os.path.exists(credential)  # noqa: PTH110
        what += f": {credential} {'cannot be read' if found else 'does not exist'}"
    if intent.action == _READ_BY_PATH:
        what, remedy = "files of a region can only be read through an access decision", "use sql, record or view --lake"
    if not what:
        purpose = f" for purpose {intent.purpose}" if intent.purpose else ""
        who = f"role {' or '.join(roles)}" if roles else "this actor"
        what = f"{intent.action}{purpose} is not permitted for {who}"
        remedy = _who_may(intent)
    return AccessDenied(f"refused: {what}", source=reason, remedy=remedy)


def _who_may(intent: Intent) -> str:
    from xinglin.access.decisions.roles import allowances

    lines = [line for (_, action), some in allowances().items() if action == intent.action for line in some]
    able = [line for line in lines if line.covers(intent.reads, intent.writes)]
    may = sorted({f"{line.role} ({line.purpose})" for line in able or lines})
    return f"use a credential with a role that may: {', '.join(may)}" if may else "no role may do this"
