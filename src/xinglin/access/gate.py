"""The one door to the data: decides a request, writes the decision down, and only then gives the permit."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from xinglin.access.audit.log import AuditLog
from xinglin.access.audit.segments import NOBODY
from xinglin.access.audit.stream import Micros, wall_micros
from xinglin.access.consent.commitments import counted
from xinglin.access.consent.rule import Counted
from xinglin.access.consent.store import ConsentStore
from xinglin.access.decisions.verdict import Verdict, denied
from xinglin.access.person_key import person_key
from xinglin.access.trust import MOST, Trust, keep
from xinglin.core.clock import Clock
from xinglin.core.errors import LedgerUnavailable
from xinglin.core.intent import Intent
from xinglin.core.permit import CLOSED, Permit
from xinglin.ledger.port import Ledger

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from xinglin.access.audit.group_flush import Settling

__all__ = ["Gate", "Relation"]

_TRIES = 8


class Relation(Protocol):
    """Whether somebody is treated somewhere: identity knows."""

    def __call__(self, institution: str, person: int) -> bool:
        """Whether the person has records of the institution."""
        ...


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Consents by person as they stand at one mark of the ledger and one version of the store."""

    mark: object
    version: int
    height: int
    consents: dict[int | None, tuple[Counted, ...]] = field(default_factory=dict)


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
        self._trust = Trust(folder)
        self._snapshot: _Snapshot | None = None
        self._named = lru_cache(maxsize=MOST)(self._name)
        self._settling: WeakKeyDictionary[AbstractEventLoop, Settling] = WeakKeyDictionary()

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
        """Decide and write down, without raising where it is refused; the event is on the disk when this returns.

        Threads that decide at once share flushes of the disk. One after the other, each decision waits for its own: who
        has many to make uses `judge_all`, a server `judged`.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.
            partial: Whether the rest is of use where a consent withholds some data classes.

        Raises:
            StorageError: The decision cannot be written down, so there is none.
        """
        verdict = self._decide(credential, intent, partial)
        self.log.flush(verdict.event)
        return verdict

    def judge_all(self, asked: Iterable[tuple[str | None, Intent]], partial: bool = False) -> list[Verdict]:
        """`judge` for many at once: no verdict is given before all events are on the disk, by one flush.

        Args:
            asked: Credentials and what is to be done by each.
            partial: As `judge` has it.

        Raises:
            StorageError: The decisions cannot be written down, so there are none.
        """
        verdicts = [self._decide(credential, intent, partial) for credential, intent in asked]
        self.log.flush()
        return verdicts

    async def judged(self, credential: str | None, intent: Intent, partial: bool = False) -> Verdict:
        """`judge` for a server's tasks: those that decide while one flush is under way share the next.

        Args:
            credential: The actor's credential, as it was presented.
            intent: What is to be done.
            partial: As `judge` has it.

        Raises:
            StorageError: The decision cannot be written down, so there is none.
        """
        # Commands have no loop, and begin faster without the library.
        from asyncio import get_running_loop

        verdict = self._decide(credential, intent, partial)
        loop = get_running_loop()
        settling = self._settling.get(loop)
        if settling is None:
            from xinglin.access.audit.group_flush import Settling

            settling = self._settling[loop] = Settling(self.log.flush)
        await settling.settled()
        return verdict

    def _decide(self, credential: str | None, intent: Intent, partial: bool) -> Verdict:
        """Decide and write to the operating system: nobody may see the verdict before its event is on the disk."""
        now, person = self._clock(), intent.person
        moment = now.timestamp()
        plan = self._trust.plan(credential, intent, partial, now, moment)
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
        for settling in self._settling.values():
            settling.close()
        self.log.close()
        self.consents.close()

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
                    keep(known.consents, person, consents, MOST)
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
