"""Issue and revoke credentials of a region."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.core.clock import wall_clock
from xinglin.core.errors import NotFound, UsageError
from xinglin.core.files import private_file

if TYPE_CHECKING:
    from xinglin.core.settings import Settings

__all__ = ["issue_credential", "revoke_credential"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}").fullmatch


def issue_credential(
    settings: Settings,
    who: tuple[str, tuple[str, ...], str, int | None],
    lasting: timedelta,
    out: Path | None = None,
) -> Path:
    """Issue a credential and write it to a file with mode 600.

    Args:
        settings: The region's settings.
        who: Name, roles, institution and, for a patient, `person_id`.
        lasting: Validity.
        out: The file; by default ``keys/actors/NAME.jws``.

    Raises:
        UsageError: The name is invalid, role and person do not go together, or a clinician or site agent has no
            institution.
        NotFound: This machine does not have the issuer's key.
    """
    from xinglin.access.credentials.actor import Claims, issue
    from xinglin.access.credentials.issuers import actor_key, load_issuers

    name, roles, institution, person = who
    if not _NAME(name):
        raise UsageError(
            "the name is invalid", source=repr(name)[:80], remedy="use 1 to 63 letters, digits, '-', '_', '.' or '@'"
        )
    if {"clinician", "site-agent"} & set(roles) and not institution:
        raise UsageError("roles clinician and site-agent need an institution", remedy="add --institution SITE")
    region = load_issuers(settings.access_folder).region
    now = wall_clock()
    claims = Claims(name, roles, institution or region, person)
    text = issue(claims, actor_key(settings.keys), region, now, now + lasting)
    path = out or settings.keys / "actors" / f"{name}.jws"
    if out is None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    private_file(path, text.encode() + b"\n")
    return path


def revoke_credential(settings: Settings, path: Path) -> str:
    """Revoke a credential and return its identifier (`jti`).

    Args:
        settings: The region's settings.
        path: The credential's file.

    Raises:
        NotFound: The file cannot be read.
        UsageError: The credential is already invalid.
    """
    from xinglin.access.credentials.actor import CredentialRefused, verify
    from xinglin.access.credentials.issuers import load_issuers, revoke

    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NotFound("the credential cannot be read", source=str(path), remedy="check the path") from None
    try:
        identifier = verify(text, load_issuers(settings.access_folder), wall_clock()).credential
    except CredentialRefused as refused:
        raise UsageError("the credential is already invalid", source=refused.reason) from None
    revoke(settings.access_folder, [identifier])
    return identifier
