"""The gate: decides every request, writes the decision to the audit log, then returns the permit."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from xinglin.access.audit.log import AuditLog
from xinglin.access.audit.segments import NO_PERSON
from xinglin.access.audit.stream import Micros, wall_micros
from xinglin.access.consent.commitments import active_consent
from xinglin.access.consent.rule import ActiveConsent
from xinglin.access.consent.store import ConsentStore
from xinglin.access.credential_cache import CACHE_SIZE, CredentialCache, remember
from xinglin.access.decisions.refusal import refusal
from xinglin.access.decisions.verdict import Verdict
from xinglin.access.person_key import person_key
from xinglin.core.clock import Clock
from xinglin.core.errors import LedgerUnavailable
from xinglin.core.intent import Intent
from xinglin.core.permit import CLOSED, Permit
from xinglin.ledger.port import Ledger

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from xinglin.core.group_commit import GroupCommit

__all__ = ["Gate", "Relation"]

_TRIES = 8


class Relation(Protocol):
    """Whether a person is a patient of an institution; implemented by identity."""

    def __call__(self, institution: str, person: int) -> bool:
        """Whether the person has records at the institution."""
        ...


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Consents by person, at one mark of the ledger and one version of the store."""

    mark: object
    version: int
    height: int
    consents: dict[int | None, tuple[ActiveConsent, ...]] = field(default_factory=dict)


class Gate:
    """Decides, audits and permits requests; safe to share between threads.

    Args:
        folder: `home/access`.
        ledger: The region's ledger, if any.
        clock: The clock.
        relation: Whether a person is a patient of an institution.
        micros: Clock of the audit log, in microseconds since 1970.
    """

    def __init__(
        self, folder: Path, ledger: Ledger | None, clock: Clock, relation: Relation | None, micros: Micros
    ) -> None:
        self.folder = folder
        self.log = AuditLog(folder / "audit", micros)
        self.consents = ConsentStore(folder)
        self._ledger, self._clock, self._relation = ledger, clock, relation
        self._key = person_key(folder)
        self._credentials = CredentialCache(folder)
        self._snapshot: _Snapshot | None = None
        self._named = lru_cache(maxsize=CACHE_SIZE)(self._name)
        self._groups: WeakKeyDictionary[AbstractEventLoop, GroupCommit[None]] = WeakKeyDictionary()

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
            clock: The clock.
            relation: Whether a person is a patient of an institution; by default no person is.
            micros: Clock of the audit log, in microseconds since 1970.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder, ledger, clock, relation, micros)

    def decide(self, credential: str | None, intent: Intent, partial: bool = False) -> Verdict:
        """Decide one request and write the event to disk; does not raise if the request is refused.

        Concurrent threads share flushes. Sequential calls flush once each: use `decide_all` for many requests, and
        `decide_async` in a server.

        Args:
            credential: The actor's credential.
            intent: The intent.
            partial: Whether a part of the data classes is useful if consents withhold the others.

        Raises:
            StorageError: The event cannot be written, so nothing was decided.
        """
        verdict = self._decide(credential, intent, partial)
        self.log.flush(verdict.event)
        return verdict

    def decide_all(self, asked: Iterable[tuple[str | None, Intent]], partial: bool = False) -> list[Verdict]:
        """Decide many requests with one flush; returns after all events are on disk.

        Args:
            asked: Pairs of credential and intent.
            partial: As for `decide`.

        Raises:
            StorageError: The events cannot be written, so nothing was decided.
        """
        verdicts = [self._decide(credential, intent, partial) for credential, intent in asked]
        self.log.flush()
        return verdicts

    async def decide_async(self, credential: str | None, intent: Intent, partial: bool = False) -> Verdict:
        """Decide one request in an event loop; tasks that decide during a flush share the next one.

        Args:
            credential: The actor's credential.
            intent: The intent.
            partial: As for `decide`.

        Raises:
            StorageError: The event cannot be written, so nothing was decided.
        """
        # Imported here: commands have no event loop and start faster without asyncio.
        from asyncio import get_running_loop

        verdict = self._decide(credential, intent, partial)
        loop = get_running_loop()
        group = self._groups.get(loop)
        if group is None:
            from xinglin.core.group_commit import GroupCommit

            group = self._groups[loop] = GroupCommit(lambda _: self.log.flush())
        await group.committed(None)
        return verdict

    def _decide(self, credential: str | None, intent: Intent, partial: bool) -> Verdict:
        """Decide and append the event. The caller must flush before it returns the verdict."""
        now, person = self._clock(), intent.person
        moment = now.timestamp()
        plan = self._credentials.plan(credential, intent, partial, now, moment)
        related = False
        if plan.institution and person is not None and self._relation is not None:
            related = self._relation(plan.institution, person)
        height, consents = self._active_consents(person, plan.needs_consents)
        decision, template = plan.answer(intent, moment, related, consents)
        name, about = (b"", NO_PERSON) if person is None else self._named(person)
        event = self.log.append(template.render(name, height), about)
        permit = CLOSED
        if decision.permit:
            permit = Permit(intent.reads, intent.writes, event, decision.without, decision.gives)
        return Verdict(decision, permit, event, height)

    def authorise(self, credential: str | None, intent: Intent) -> Permit:
        """Decide one request and return its permit.

        Args:
            credential: The actor's credential.
            intent: The intent.

        Raises:
            AccessDenied: The request is refused.
            StorageError: The event cannot be written, so nothing was decided.
        """
        verdict = self.decide(credential, intent)
        if not verdict.decision.permit:
            raise refusal(verdict.decision.reason, intent, ())
        return verdict.permit

    def events_of(self, person: int) -> list[bytes]:
        """The events of all decisions about a person, oldest first.

        Args:
            person: `person_id`.
        """
        return self.log.events_of(self.reference(person))

    def reference(self, person: int) -> str:
        """A person's pseudonym in the audit log, 32 hex digits; computed with the region's person key.

        Args:
            person: `person_id`.
        """
        return self._named(person)[0].decode()

    def close(self) -> None:
        """Seal the audit log and close all files."""
        for group in self._groups.values():
            group.close()
        self.log.close()
        self.consents.close()

    def _active_consents(self, person: int | None, wanted: bool) -> tuple[int, tuple[ActiveConsent, ...]]:
        """The consents for a decision and the ledger height that they were read at."""
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
                consents = self._read_consents(person, mark) if wanted else ()
            except LedgerUnavailable:
                continue
            # Only data read between two equal marks belong to one height.
            if self.consents.version() == version and self._mark() == mark:
                known = known or _Snapshot(mark, version, height)
                if wanted:
                    remember(known.consents, person, consents, CACHE_SIZE)
                self._snapshot = known
                return height, consents
        return -1, self._read_consents(person, None) if wanted else ()

    def _read_consents(self, person: int | None, mark: object) -> tuple[ActiveConsent, ...]:
        """Read the consents; without a mark the ledger is unavailable."""
        ledger = None if mark is None else self._ledger
        kept = self.consents.all() if person is None else self.consents.of(person)
        found = tuple(one for one in (active_consent(each, ledger) for each in kept) if one)
        return tuple(one for one in found if one.rule.root.ever_denies()) if person is None else found

    def _height(self, mark: object) -> int:
        return -1 if mark is None or self._ledger is None else self._ledger.height()

    def _mark(self) -> object:
        try:
            return self._ledger.mark() if self._ledger else None
        except LedgerUnavailable:
            return None

    def _name(self, person: int) -> tuple[bytes, bytes]:
        """A person's pseudonym as hex digits and as bytes of the index."""
        found = hmac.digest(self._key, b"%d" % person, "sha256")[: len(NO_PERSON)]
        return found.hex().encode(), found
