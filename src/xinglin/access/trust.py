"""Whom the region believes right now, and the plans of requests made under that: a changed list begins with nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from xinglin.access.credentials.actor import EXPIRED, NO_CREDENTIAL, Actor, CredentialRefused, Issuers, verify
from xinglin.access.credentials.issuers import ISSUERS_FILE, load_issuers
from xinglin.access.decisions.decision import Request
from xinglin.access.plan import Plan
from xinglin.core.intent import Intent

__all__ = ["MOST", "Trust", "keep"]

_K = TypeVar("_K")
_V = TypeVar("_V")
MOST = 65_536
"""Credentials and persons that are remembered."""
_PLANS = 8_192


@dataclass(frozen=True, slots=True)
class _Trusted:
    """One state of the list of issuers, and what was found out under it: a changed list begins with nothing."""

    seen: tuple[int, int]
    issuers: Issuers
    actors: dict[str, Actor] = field(default_factory=dict)
    plans: dict[tuple[object, ...], Plan] = field(default_factory=dict)


class Trust:
    """Credentials verified against the list of issuers, each once.

    Args:
        folder: `home/access`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list = str(folder / ISSUERS_FILE)
        self._trusted: _Trusted | None = None

    def plan(self, credential: str | None, intent: Intent, partial: bool, now: datetime, moment: float) -> Plan:
        """The plan of a request, made anew where the list of issuers changed or the credential has expired.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.
            partial: Whether the rest is of use where a consent withholds some data classes.
            now: The time.
            moment: The same, Unix seconds.
        """
        trusted = self._trust()
        what = (intent.action, intent.purpose, intent.reads, intent.writes, intent.data_classes)
        key = (credential, partial, what, intent.population, intent.sites, intent.break_glass)
        plan = trusted.plans.get(key)
        if plan is not None and moment < plan.ends:
            return plan
        try:
            actor = self._actor(credential, trusted, now)
        except CredentialRefused as refused:
            return Plan(Request(None, intent, refused.reason, partial), trusted.issuers.region, 0)
        plan = Plan(Request(actor, intent, partial=partial), trusted.issuers.region, actor.expires.timestamp())
        # Every emergency has words of its own.
        if intent.break_glass is None:
            keep(trusted.plans, key, plan, _PLANS)
        return plan

    def _actor(self, credential: str | None, trusted: _Trusted, now: datetime) -> Actor:
        if not credential:
            raise CredentialRefused(NO_CREDENTIAL)
        actor = trusted.actors.get(credential)
        if actor is None:
            actor = verify(credential, trusted.issuers, now)
            keep(trusted.actors, credential, actor, MOST)
        elif now >= actor.expires:
            raise CredentialRefused(EXPIRED)
        return actor

    def _trust(self) -> _Trusted:
        """The list of issuers; a changed one makes every credential be verified anew."""
        # Looked at before it is read: a change in between is then seen the next time.
        found = os.stat(self._list)  # noqa: PTH116 - a Path costs more than the call
        seen = (found.st_mtime_ns, found.st_ino)
        trusted = self._trusted
        if trusted is None or trusted.seen != seen:
            trusted = self._trusted = _Trusted(seen, load_issuers(self._folder))
        return trusted


def keep(kept: dict[_K, _V], key: _K, value: _V, most: int) -> None:
    """Remember; all is forgotten where it would be too much.

    Args:
        kept: What is remembered.
        key: By what it is found.
        value: What to remember.
        most: How much.
    """
    if len(kept) >= most:
        kept.clear()
    kept[key] = value
