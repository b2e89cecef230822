"""Who asks, whether they may, and the permit that the region is opened with."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.access.decisions.refusal import refusal
from xinglin.access.referrals import referred
from xinglin.core.clock import Clock
from xinglin.core.errors import AccessDenied, NotFound
from xinglin.core.files import private_file
from xinglin.core.permit import Permit

if TYPE_CHECKING:
    from xinglin.access.credentials.actor import Actor, Issuers
    from xinglin.access.gate import Gate
    from xinglin.admission.opt_in import OptIn
    from xinglin.core.intent import Intent
    from xinglin.core.settings import Settings
    from xinglin.lake import Lake

__all__ = ["OWNER", "Treated", "admit", "found_access", "owner_credential"]

OWNER = ("operator", "analyst", "steward")
"""What the owner of a home may be on one machine; whatever else, the owner issues as a credential of its own."""
_DAYS = 365


@dataclass(frozen=True)
class Treated:
    """Who is treated where: who has records at an institution, or a referral to it.

    Args:
        lake: Whose permit is for identity alone; it serves the decision and nothing else.
        folder: The access folder of the region.
        clock: The time.
    """

    lake: Lake
    folder: Path
    clock: Clock

    def __call__(self, institution: str, person: int) -> bool:
        """Whether the institution treats the person.

        Args:
            institution: Its name.
            person: `person_id`.
        """
        from xinglin.identity import records_of

        if referred(self.folder, person, institution, self.clock()):
            return True
        return any(record.site == institution for record in records_of(self.lake, person))


def found_access(settings: Settings, now: datetime) -> None:
    """Make what decisions need, in a home that has none: the issuer's key, the list of issuers, the owner's credential.

    Only the owner of the home's files can; anybody else is refused by the lack of it.

    Args:
        settings: The region's settings.
        now: The time.
    """
    from xinglin.access.credentials.issuers import create_issuer

    folder, own = settings.access_folder, owner_credential(settings)
    if ((folder / "issuers.json").exists() and own.exists()) or settings.home.stat().st_uid != os.getuid():
        return
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_issuer(folder, settings.keys, f"region-{os.urandom(8).hex()}")
    _issue_owner(settings, now)


def owner_credential(settings: Settings) -> Path:
    """The file of the credential of the home's owner."""
    return settings.keys / "actors" / "owner.jws"


def admit(
    settings: Settings,
    gate: Gate,
    intent: Intent,
    credential: Path | None,
    now: datetime,
    opt_in: OptIn | None = None,
) -> Permit:
    """Decide about a command and write the decision down.

    Args:
        settings: The region's settings.
        gate: Decides.
        intent: What is to be done; without a purpose it is the one for which the actor's role may do it.
        credential: File of the credential; the owner's when not given.
        now: The time.
        opt_in: Who granted research, where only they are in it.

    Raises:
        AccessDenied: It may not be done; the refusal is in the audit log.
    """
    from xinglin.access.credentials.issuers import load_issuers

    text = _presented(settings, credential, now)
    try:
        issuers = load_issuers(settings.access_folder)
    except NotFound as error:
        remedy = "let the owner of its files run any command once"
        raise AccessDenied("nobody can be known here yet", source=str(settings.home), remedy=remedy) from error
    actor = _actor(text, issuers, now)
    roles = actor.roles if actor else ()
    asked = replace(intent, purpose=intent.purpose or _purpose(roles, intent))
    verdict = gate.decide(text, asked, partial=intent.person is not None)
    if not verdict.decision.permit:
        raise refusal(verdict.decision.reason, intent, roles, credential or owner_credential(settings))
    gives = verdict.decision.gives if intent.person is not None else frozenset()
    without = verdict.decision.without
    if opt_in and actor:
        without |= opt_in.ungranted(gate, actor, asked, now)
    return replace(verdict.permit, without=without, gives=gives)


def _presented(settings: Settings, credential: Path | None, now: datetime) -> str | None:
    """The text of the credential; the owner's is made anew where the owner runs this and it has expired."""
    path = credential or owner_credential(settings)
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if credential is None and _outdated(settings, text, now):
        _issue_owner(settings, now)
        return path.read_text("utf-8").strip()
    return text


def _outdated(settings: Settings, text: str, now: datetime) -> bool:
    """Whether the owner's credential has expired, or names other roles than an owner has."""
    from xinglin.access.credentials.actor import EXPIRED, CredentialRefused, verify
    from xinglin.access.credentials.issuers import load_issuers

    try:
        return verify(text, load_issuers(settings.access_folder), now).roles != OWNER
    except CredentialRefused as refused:
        return refused.reason == EXPIRED
    except NotFound:
        return False


def _issue_owner(settings: Settings, now: datetime) -> None:
    from xinglin.access.credentials.actor import Claims, issue
    from xinglin.access.credentials.issuers import actor_key, load_issuers

    region = load_issuers(settings.access_folder).region
    claims = Claims("owner", OWNER, region)
    text = issue(claims, actor_key(settings.keys), region, now, now + timedelta(days=_DAYS))
    path = owner_credential(settings)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    private_file(path, text.encode() + b"\n")


def _actor(text: str | None, issuers: Issuers, now: datetime) -> Actor | None:
    """Whom a credential names that holds; nobody for another."""
    from xinglin.access.credentials.actor import CredentialRefused, verify

    try:
        return verify(text, issuers, now) if text else None
    except CredentialRefused:
        return None


def _purpose(roles: tuple[str, ...], intent: Intent) -> str:
    """The first purpose for which one of the roles may do this; operations where none may."""
    from xinglin.access.decisions.roles import allowances

    lines = [line for role in roles for line in allowances().get((role, intent.action), ())]
    wanted = "break-glass" if intent.break_glass is not None else None
    fitting = [line for line in lines if wanted in (None, line.scope)] or lines
    return fitting[0].purpose if fitting else "HOPERAT"
