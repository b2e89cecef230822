"""Research by opt-in: the population is who granted it, not who did not deny it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.access.actor import Actor
    from xinglin.access.gate import Gate
    from xinglin.core.intent import Intent
    from xinglin.lake import Lake
    from xinglin.ledger import Ledger

__all__ = ["OptIn"]


@dataclass(frozen=True)
class OptIn:
    """Who has granted research.

    Args:
        lake: Whose permit is for identity alone; it serves the decision and nothing else.
        ledger: Confirms grants; None where it cannot be asked, and then nobody has granted anything.
    """

    lake: Lake
    ledger: Ledger | None

    def ungranted(self, gate: Gate, actor: Actor, intent: Intent, now: datetime) -> frozenset[int]:
        """Persons who have not granted what is asked of the population; nobody where it is not research.

        A person counts as having granted it where the same actor would be given the person's own record for it.

        Args:
            gate: Keeps the consents.
            actor: Who asks.
            intent: What is to be done, with its purpose.
            now: The time.
        """
        from xinglin.access.commitments import counted
        from xinglin.access.decision import Request, World, decide
        from xinglin.access.purposes import within

        if not intent.population or not within(intent.purpose, "HRESCH"):
            return frozenset()
        granted = set()
        alone = replace(intent, action="read", reads=frozenset(), population=False)
        for person in {kept.person for kept in gate.consents.all()}:
            each = (counted(kept, self.ledger) for kept in gate.consents.of(person))
            world = World(now.timestamp(), consents=tuple(one for one in each if one))
            if decide(Request(actor, replace(alone, person=person)), world).permit:
                granted.add(person)
        return self._everybody() - granted

    def _everybody(self) -> frozenset[int]:
        from xinglin.contracts.person_map import PERSON_MAP
        from xinglin.lake import connect
        from xinglin.lake.engine import parquet_list

        snapshot = self.lake.snapshot(PERSON_MAP.stage)
        files = snapshot.files(PERSON_MAP.name) if snapshot and snapshot.tables.get(PERSON_MAP.name) else []
        if not files:
            return frozenset()
        with connect(memory_mb=400, threads=1) as connection:
            rows = connection.execute(f"SELECT DISTINCT person_id FROM read_parquet({parquet_list(files)})").fetchall()
        return frozenset(person for (person,) in rows)
