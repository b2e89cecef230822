"""How a refusal reads: who may do it, and what whoever was refused can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinglin.core.errors import AccessDenied

if TYPE_CHECKING:
    from xinglin.core.intent import Intent

__all__ = ["refusal"]

_ISSUED = "name a credential that the region's owner issued: --as FILE"
_AROUND = "read-by-path"
_SAID = {
    "no-credential": ("nobody said who runs this", _ISSUED),
    "credential-malformed": ("the credential cannot be read", _ISSUED),
    "credential-algorithm": ("the credential is not signed as credentials are", _ISSUED),
    "credential-unknown-issuer": ("the credential was signed by somebody whom this region does not know", _ISSUED),
    "credential-forged": ("the credential does not hold: its signature is not the issuer's", _ISSUED),
    "credential-other-audience": ("the credential is for another region", _ISSUED),
    "credential-expired": ("the credential has expired", "have a new one issued: xinglin access issue"),
    "credential-not-yet-valid": ("the credential is not valid yet", _ISSUED),
    "credential-revoked": ("the credential was revoked", "have a new one issued: xinglin access issue"),
    "credential-unknown-role": ("the credential names a role that does not exist", _ISSUED),
    "unknown-purpose": ("this is no purpose", "name one by --purpose: TREAT, HRESCH, HOPERAT, PATRQT, HSYSADMIN, …"),
    "not-own-record": ("a patient may do this with the own record only", "name the own person_id"),
    "no-relation": (
        "the person is not treated at your institution",
        "in an emergency add --break-glass REASON; else have a referral noted: xinglin access relate",
    ),
    "other-site": ("an agent brings records of its own site only", "name the site that the credential is for"),
    "break-glass-without-reason": ("an emergency needs its reason", "add --break-glass REASON"),
    "consent-denies": ("the person has denied this", "only the person can change it: xinglin consent"),
    "consent-missing": ("the person has not granted this", "only the person can grant it: xinglin consent grant"),
}


def refusal(reason: str, intent: Intent, roles: tuple[str, ...]) -> AccessDenied:
    """The error for a refusal that is in the audit log.

    Args:
        reason: The decision's reason.
        intent: What was to be done.
        roles: Roles of whoever asked.

    Example:
        >>> from xinglin.core.intent import Intent
        >>> print(refusal("credential-expired", Intent("read"), ()).what)
        refused: the credential has expired
    """
    what, remedy = _SAID.get(reason, ("", ""))
    if intent.action == _AROUND:
        what, remedy = "this lies in a region's home, which is read by decision only", "use sql, record or view --lake"
    if not what:
        who = f"role {' or '.join(roles)}" if roles else "nobody in particular"
        what = f"{intent.action}{f' for {intent.purpose}' if intent.purpose else ''} is not for {who}"
        remedy = _who_may(intent)
    return AccessDenied(f"refused: {what}", source=reason, remedy=remedy)


def _who_may(intent: Intent) -> str:
    from xinglin.access.decisions.roles import allowances

    lines = [line for (_, action), some in allowances().items() if action == intent.action for line in some]
    able = [line for line in lines if line.covers(intent.reads, intent.writes)]
    may = sorted({f"{line.role} ({line.purpose})" for line in able or lines})
    return f"let somebody run it who may: {', '.join(may)}" if may else "nobody may do this"
