"""Research by opt-in: the population is who granted it, not who did not deny it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.access.credentials.actor import Actor
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
        from xinglin.access.consent.granted import persons_granting
        from xinglin.access.consent.rule import ActiveConsent
        from xinglin.access.decisions.decision import Facts, Request, decide
        from xinglin.access.terms.purposes import within

        if not intent.population or not within(intent.purpose, "HRESCH"):
            return frozenset()
        alone = replace(intent, action="read", reads=frozenset(), population=False)

        def grants(person: int, consents: tuple[ActiveConsent, ...]) -> bool:
            # Nobody does research on the own record as its patient, so it does not matter who it is.
            request = Request(replace(actor, person=None), replace(alone, person=person))
            return decide(request, Facts(now.timestamp(), consents=consents)).permit

        return self._others(persons_granting(gate.consents.with_ledger_state(self.ledger), grants))

    def _others(self, granted: Iterable[int]) -> frozenset[int]:
        """Everybody else."""
        import pyarrow as pa

        from xinglin.contracts.person_map import PERSON_MAP
        from xinglin.lake import connect

        everybody = self.lake.relation(PERSON_MAP)
        with connect(memory_mb=400, threads=1) as connection:
            connection.register("granted", pa.table({"person_id": pa.array(granted, pa.int64())}))
            found = connection.execute(
                f"SELECT DISTINCT person_id FROM {everybody} ANTI JOIN granted USING (person_id)"
            ).fetchnumpy()
        return frozenset(found["person_id"].tolist())
