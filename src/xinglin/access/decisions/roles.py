"""The table of roles, ``roles.csv``: one line per permission.

| column | meaning |
|---|---|
| role | the actor's role (`xinglin.access.credentials.actor.ROLES`) |
| action | read, log, consent: one person; ask, extract: the mart; the others operate the region |
| purpose | purpose of use, includes its descendants; the two emergency purposes match only themselves |
| scope | own: the actor's own record. treated: a person with records at the actor's institution. break-glass: any \
person, with a reason. person: any one person. region: no single person. any: with or without a person. \
site: only records of the actor's own site |
| reads, writes | stages; ``*`` means all |
| consent | denials: excludes what the person denied. granted: only what the person granted. left-out: excludes \
persons who denied. ignored: permitted by law or at the person's own request |

Everything without a line is denied.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from xinglin.access.terms.purposes import BREAK_GLASS, within
from xinglin.core.permit import EVERY

__all__ = ["Allowance", "allowances"]


@dataclass(frozen=True)
class Allowance:
    """One line of the table.

    Args:
        role: Role of the actor.
        action: Permitted action.
        purpose: Purpose of use.
        scope: Which persons or sites.
        reads: Stages that may be read.
        writes: Stages that may be written.
        consent: How consents are applied.
    """

    role: str
    action: str
    purpose: str
    scope: str
    reads: frozenset[str]
    writes: frozenset[str]
    consent: str

    def serves(self, purpose: str) -> bool:
        """Whether the line includes a purpose.

        Args:
            purpose: The requested purpose.
        """
        if purpose in BREAK_GLASS or self.purpose in BREAK_GLASS:
            return purpose == self.purpose
        return within(purpose, self.purpose)

    def covers(self, reads: frozenset[str], writes: frozenset[str]) -> bool:
        """Whether the line permits the stages; write permission includes reading.

        Args:
            reads: Stages to read.
            writes: Stages to write.
        """
        may_write = EVERY in self.writes or writes <= self.writes
        return may_write and (EVERY in self.reads or reads <= self.reads | self.writes)


@cache
def allowances() -> dict[tuple[str, str], tuple[Allowance, ...]]:
    """The table, by role and action.

    Example:
        >>> [line.scope for line in allowances()["clinician", "read"]]
        ['treated', 'break-glass', 'break-glass']
        >>> ("analyst", "erase") in allowances()
        False
    """
    found: dict[tuple[str, str], tuple[Allowance, ...]] = {}
    text = (files("xinglin.access.decisions") / "roles.csv").read_text("utf-8")
    for line in csv.DictReader(text.splitlines()):
        reads, writes = frozenset(line["reads"].split()), frozenset(line["writes"].split())
        allowance = Allowance(
            line["role"], line["action"], line["purpose"], line["scope"], reads, writes, line["consent"]
        )
        key = (allowance.role, allowance.action)
        found[key] = (*found.get(key, ()), allowance)
    return found
