"""Cache of verified credentials and request plans; cleared when the list of issuers changes."""

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

__all__ = ["CACHE_SIZE", "CredentialCache", "remember"]

_K = TypeVar("_K")
_V = TypeVar("_V")
CACHE_SIZE = 65_536
"""Maximum number of cached credentials, and of cached persons."""
_PLANS = 8_192


@dataclass(frozen=True, slots=True)
class _Trusted:
    """One state of the list of issuers, with the actors and plans that were cached under it."""

    seen: tuple[int, int]
    issuers: Issuers
    actors: dict[str, Actor] = field(default_factory=dict)
    plans: dict[tuple[object, ...], Plan] = field(default_factory=dict)


class CredentialCache:
    """Verifies each credential once for each state of the list of issuers.

    Args:
        folder: `home/access`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list = str(folder / ISSUERS_FILE)
        self._trusted: _Trusted | None = None

    def plan(self, credential: str | None, intent: Intent, partial: bool, now: datetime, moment: float) -> Plan:
        """The plan of a request; made again after the list of issuers changed or the credential expired.

        Args:
            credential: The actor's credential.
            intent: The intent.
            partial: Whether a part of the data classes is useful if consents withhold the others.
            now: The current time.
            moment: The current time, Unix seconds.
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
        # Each emergency has its own reason, so its plan is not reusable.
        if intent.break_glass is None:
            remember(trusted.plans, key, plan, _PLANS)
        return plan

    def _actor(self, credential: str | None, trusted: _Trusted, now: datetime) -> Actor:
        if not credential:
            raise CredentialRefused(NO_CREDENTIAL)
        actor = trusted.actors.get(credential)
        if actor is None:
            actor = verify(credential, trusted.issuers, now)
            remember(trusted.actors, credential, actor, CACHE_SIZE)
        elif now >= actor.expires:
            raise CredentialRefused(EXPIRED)
        return actor

    def _trust(self) -> _Trusted:
        """The current list of issuers; after a change every credential is verified again."""
        # Stat before reading: a change in between is detected at the next call.
        found = os.stat(self._list)  # noqa: PTH116 - a Path costs more than the call
        seen = (found.st_mtime_ns, found.st_ino)
        trusted = self._trusted
        if trusted is None or trusted.seen != seen:
            trusted = self._trusted = _Trusted(seen, load_issuers(self._folder))
        return trusted


def remember(kept: dict[_K, _V], key: _K, value: _V, most: int) -> None:
    """Store a value in a cache; clears the cache first if it is full.

    Args:
        kept: The cache.
        key: The key.
        value: The value.
        most: Maximum number of entries.
    """
    if len(kept) >= most:
        kept.clear()
    kept[key] = value
