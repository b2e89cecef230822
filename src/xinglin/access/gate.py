"""The one door to the data: decides a request, writes the decision down, and only then gives the permit."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from xinglin.access import audit
from xinglin.access.actor import EXPIRED, NO_CREDENTIAL, Actor, CredentialRefused, Issuers, verify
from xinglin.access.commitments import counted
from xinglin.access.consents import ConsentStore
from xinglin.access.decision import Counted, Decision, Request, World, decide, lines_for
from xinglin.access.issuers import ISSUERS_FILE, load_issuers
from xinglin.access.log import AuditLog
from xinglin.access.roles import Allowance
from xinglin.access.segments import NOBODY
from xinglin.access.stream import Micros, wall_micros
from xinglin.core.clock import Clock
from xinglin.core.errors import AccessDenied, LedgerUnavailable
from xinglin.core.intent import Intent
from xinglin.core.permit import CLOSED, Permit
from xinglin.ledger.port import Ledger

__all__ = ["Gate", "Relation", "Verdict", "denied"]

_MOST = 65_536
_TRIES = 8


class Relation(Protocol):
    """Whether somebody is treated somewhere: identity knows."""

    def __call__(self, institution: str, person: int) -> bool:
        """Whether the person has records of the institution."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
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
    """Consents as they stand at one mark of the ledger and one version of the store."""

    mark: object
    version: object
    height: int
    consents: tuple[Counted, ...]


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
        self._key = _person_key(folder)
        self._list = folder / ISSUERS_FILE
        self._issuers: tuple[tuple[int, int], Issuers] | None = None
        self._actors: dict[str, Actor] = {}
        self._snapshots: dict[int | None, _Snapshot] = {}
        self.reference = lru_cache(maxsize=_MOST)(self._reference)

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
        moment = self._clock().timestamp()
        issuers = self._current_issuers()
        try:
            request = Request(self._actor(credential, issuers, moment), intent, partial=partial)
        except CredentialRefused as refused:
            request = Request(None, intent, refused.reason, partial)
        lines = lines_for(request)
        snapshot = self._snapshot(intent.person, any(line.consent != "ignored" for line in lines))
        world = World(moment, self._related(request, lines), snapshot.consents)
        decision = decide(request, world)
        person = "" if intent.person is None else self.reference(intent.person)
        render = audit.renderer(request, decision, issuers.region, person, snapshot.height)
        event = self.log.append(render, bytes.fromhex(person) if person else NOBODY)
        permit = CLOSED
        if decision.permit:
            permit = Permit(intent.reads, intent.writes, event, decision.without, decision.gives)
        return Verdict(decision, permit, event, snapshot.height)

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

    def close(self) -> None:
        """Seal what was written and close."""
        self.log.close()
        self.consents.close()

    def _actor(self, credential: str | None, issuers: Issuers, moment: float) -> Actor:
        if not credential:
            raise CredentialRefused(NO_CREDENTIAL)
        actor = self._actors.get(credential)
        if actor is None:
            actor = verify(credential, issuers, self._clock())
            if len(self._actors) >= _MOST:
                self._actors.clear()
            self._actors[credential] = actor
        elif moment >= actor.expires.timestamp():
            raise CredentialRefused(EXPIRED)
        return actor

    def _current_issuers(self) -> Issuers:
        """The list of issuers; a changed one makes every credential be verified anew."""
        found = self._list.stat() if self._issuers else None
        seen = (found.st_mtime_ns, found.st_ino) if found else None
        if self._issuers is None or self._issuers[0] != seen:
            # Looked at before it is read: a change in between is then seen the next time.
            found = self._list.stat()
            self._actors.clear()
            self._issuers = ((found.st_mtime_ns, found.st_ino), load_issuers(self.folder))
        return self._issuers[1]

    def _related(self, request: Request, lines: tuple[Allowance, ...]) -> bool:
        person, actor = request.intent.person, request.actor
        if person is None or actor is None or self._relation is None:
            return False
        return any(line.scope == "treated" for line in lines) and self._relation(actor.institution, person)

    def _snapshot(self, person: int | None, wanted: bool) -> _Snapshot:
        """The consents that matter, at a height that is surely theirs."""
        key = person if wanted else -1
        for _ in range(_TRIES):
            version, mark = self.consents.version(), self._mark()
            known = self._snapshots.get(key)
            if known is not None and known.version == version and known.mark == mark:
                return known
            found = self._look(person if wanted else -1, version, mark)
            # Only what was read between two equal marks belongs to one height.
            if found is not None and self.consents.version() == version and self._mark() == mark:
                if len(self._snapshots) >= _MOST:
                    self._snapshots.clear()
                self._snapshots[key] = found
                return found
        return self._look(key, None, None) or _Snapshot(None, None, -1, ())

    def _look(self, person: int | None, version: object, mark: object) -> _Snapshot | None:
        """Read the consents; None where the ledger stopped answering."""
        ledger = None if mark is None else self._ledger
        try:
            height = ledger.height() if ledger else -1
            if person == -1:
                return _Snapshot(mark, version, height, ())
            kept = self.consents.all() if person is None else self.consents.of(person)
            found = tuple(one for one in (counted(each, ledger) for each in kept) if one)
        except LedgerUnavailable:
            return None
        if person is None:
            found = tuple(one for one in found if one.rule.root.ever_denies())
        return _Snapshot(mark, version, height, found)

    def _mark(self) -> object:
        try:
            return self._ledger.mark() if self._ledger else None
        except LedgerUnavailable:
            return None

    def _reference(self, person: int) -> str:
        """32 hex digits that stand for a person in the audit log, and say nothing without the region's key."""
        return hmac.new(self._key, str(person).encode(), hashlib.sha256).hexdigest()[:32]


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


def _person_key(folder: Path) -> bytes:
    """The key behind the references to persons, made on first use."""
    path = folder / "person.key"
    if not path.exists():
        draft = folder / f".person.key.{secrets.token_hex(8)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(32))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            # Of two processes that begin at once, one makes the key and both use it.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
