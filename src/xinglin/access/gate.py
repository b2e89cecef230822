"""The one door to the data: decides a request, writes the decision down, and only then gives the permit."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from xinglin.access.actor import EXPIRED, NO_CREDENTIAL, Actor, CredentialRefused, Issuers, verify
from xinglin.access.commitments import counted
from xinglin.access.consents import ConsentStore
from xinglin.access.decision import Counted, Decision, Request
from xinglin.access.issuers import ISSUERS_FILE, load_issuers
from xinglin.access.log import AuditLog
from xinglin.access.person_key import person_key
from xinglin.access.plan import Plan
from xinglin.access.segments import NOBODY
from xinglin.access.stream import Micros, wall_micros
from xinglin.core.clock import Clock
from xinglin.core.errors import AccessDenied, LedgerUnavailable
from xinglin.core.intent import Intent
from xinglin.core.permit import CLOSED, Permit
from xinglin.ledger.port import Ledger

__all__ = ["Gate", "Relation", "Verdict", "denied"]

_K = TypeVar("_K")
_V = TypeVar("_V")
_MOST = 65_536
_PLANS = 8_192
_TRIES = 8


class Relation(Protocol):
    """Whether somebody is treated somewhere: identity knows."""

    def __call__(self, institution: str, person: int) -> bool:
        """Whether the person has records of the institution."""
        ...


class Verdict(NamedTuple):
    """A decision that is in the audit log.

    Args:
        decision: What was decided.
        permit: What may be read and written; `xinglin.core.permit.CLOSED` where it was refused.
        event: Identifier of the AuditEvent.
        height: Height of the ledger whose state was counted; -1 where the ledger could not be asked.
    """

    decision: Decision
    permit: Permit
    event: str
    height: int


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Consents by person as they stand at one mark of the ledger and one version of the store."""

    mark: object
    version: int
    height: int
    consents: dict[int | None, tuple[Counted, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Trusted:
    """One state of the list of issuers, and what was found out under it: a changed list begins with nothing."""

    seen: tuple[int, int]
    issuers: Issuers
    actors: dict[str, Actor] = field(default_factory=dict)
    plans: dict[tuple[object, ...], Plan] = field(default_factory=dict)


class Gate:
    """Decides, audits, permits; threads may share it.

    Args:
        folder: `home/access`.
        ledger: The region's ledger; None for none.
        clock: The time.
        relation: Who is treated where.
        micros: The time of the audit log, in microseconds since 1970.
    """

    def __init__(
        self, folder: Path, ledger: Ledger | None, clock: Clock, relation: Relation | None, micros: Micros
    ) -> None:
        self.folder = folder
        self.log = AuditLog(folder / "audit", micros)
        self.consents = ConsentStore(folder)
        self._ledger, self._clock, self._relation = ledger, clock, relation
        self._key = person_key(folder)
        self._list = str(folder / ISSUERS_FILE)
        self._trusted: _Trusted | None = None
        self._snapshot: _Snapshot | None = None
        self._named = lru_cache(maxsize=_MOST)(self._name)

    @classmethod
    def open(
        cls,
        folder: Path,
        ledger: Ledger | None,
        clock: Clock,
        relation: Relation | None = None,
        micros: Micros = wall_micros,
    ) -> Gate:
        """Open the gate of one region.

        Args:
            folder: `home/access`; created with mode 700.
            ledger: The region's ledger; without one no consent is confirmed.
            clock: The time.
            relation: Who is treated where; without it nobody is.
            micros: The time of the audit log, in microseconds since 1970.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder, ledger, clock, relation, micros)

    def judge(self, credential: str | None, intent: Intent, partial: bool = False) -> Verdict:
        """Decide and write down, without raising where it is refused.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.
            partial: Whether the rest is of use where a consent withholds some data classes.

        Raises:
            StorageError: The decision cannot be written down, so there is none.
        """
        now, person = self._clock(), intent.person
        moment = now.timestamp()
        plan = self._plan(credential, intent, partial, now, moment)
        related = False
        if plan.institution and person is not None and self._relation is not None:
            related = self._relation(plan.institution, person)
        height, consents = self._counted(person, plan.counts)
        decision, form = plan.answer(intent, moment, related, consents)
        name, about = (b"", NOBODY) if person is None else self._named(person)
        event = self.log.append(form.filled(name, height), about)
        permit = CLOSED
        if decision.permit:
            permit = Permit(intent.reads, intent.writes, event, decision.without, decision.gives)
        return Verdict(decision, permit, event, height)

    def authorise(self, credential: str | None, intent: Intent) -> Permit:
        """Decide and write down.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.

        Raises:
            AccessDenied: It is not permitted.
            StorageError: The decision cannot be written down, so there is none.
        """
        verdict = self.judge(credential, intent)
        if not verdict.decision.permit:
            raise denied(verdict)
        return verdict.permit

    def events_of(self, person: int) -> list[bytes]:
        """Every decision about a person, in the order in which they were made.

        Args:
            person: Whose records were asked for.
        """
        return self.log.events_of(self.reference(person))

    def reference(self, person: int) -> str:
        """32 hex digits that stand for a person in the audit log, and say nothing without the region's key.

        Args:
            person: Whom.
        """
        return self._named(person)[0].decode()

    def close(self) -> None:
        """Seal what was written and close."""
        self.log.close()
        self.consents.close()

    def _plan(self, credential: str | None, intent: Intent, partial: bool, now: datetime, moment: float) -> Plan:
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
            _keep(trusted.plans, key, plan, _PLANS)
        return plan

    def _actor(self, credential: str | None, trusted: _Trusted, now: datetime) -> Actor:
        if not credential:
            raise CredentialRefused(NO_CREDENTIAL)
        actor = trusted.actors.get(credential)
        if actor is None:
            actor = verify(credential, trusted.issuers, now)
            _keep(trusted.actors, credential, actor, _MOST)
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
            trusted = self._trusted = _Trusted(seen, load_issuers(self.folder))
        return trusted

    def _counted(self, person: int | None, wanted: bool) -> tuple[int, tuple[Counted, ...]]:
        """The consents that matter, at a height that is surely theirs."""
        for _ in range(_TRIES):
            version, mark = self.consents.version(), self._mark()
            known = self._snapshot
            if known is None or known.version != version or known.mark != mark:
                known = None
            elif not wanted:
                return known.height, ()
            elif (consents := known.consents.get(person)) is not None:
                return known.height, consents
            try:
                height = known.height if known else self._height(mark)
                consents = self._look(person, mark) if wanted else ()
            except LedgerUnavailable:
                continue
            # Only what was read between two equal marks belongs to one height.
            if self.consents.version() == version and self._mark() == mark:
                known = known or _Snapshot(mark, version, height)
                if wanted:
                    _keep(known.consents, person, consents, _MOST)
                self._snapshot = known
                return height, consents
        return -1, self._look(person, None) if wanted else ()

    def _look(self, person: int | None, mark: object) -> tuple[Counted, ...]:
        """Read the consents; without a mark there is no ledger to be asked."""
        ledger = None if mark is None else self._ledger
        kept = self.consents.all() if person is None else self.consents.of(person)
        found = tuple(one for one in (counted(each, ledger) for each in kept) if one)
        return tuple(one for one in found if one.rule.root.ever_denies()) if person is None else found

    def _height(self, mark: object) -> int:
        return -1 if mark is None or self._ledger is None else self._ledger.height()

    def _mark(self) -> object:
        try:
            return self._ledger.mark() if self._ledger else None
        except LedgerUnavailable:
            return None

    def _name(self, person: int) -> tuple[bytes, bytes]:
        """What stands for a person in the audit log, in hex digits and as the index has it."""
        found = hmac.digest(self._key, b"%d" % person, "sha256")[: len(NOBODY)]
        return found.hex().encode(), found


def denied(verdict: Verdict) -> AccessDenied:
    """The error of a refusal.

    Args:
        verdict: The verdict.
    """
    return AccessDenied(
        f"access is denied: {verdict.decision.reason}",
        source=f"decision {verdict.event}",
        remedy="ask with a credential, a purpose and a person for which it is permitted",
    )


def _keep(kept: dict[_K, _V], key: _K, value: _V, most: int) -> None:
    """Remember; all is forgotten where it would be too much."""
    if len(kept) >= most:
        kept.clear()
    kept[key] = value
