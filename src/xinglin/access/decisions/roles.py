"""What each role may do for which purpose: ``roles.csv``, one line for each thing that is allowed.

| column | says |
|---|---|
| role | who (`xinglin.access.credentials.actor.ROLES`) |
| action | read, log and consent concern one person; ask and extract the mart; the others run the region |
| purpose | the purpose, which stands for those below it; the two of break-glass stand for themselves |
| scope | own: the actor's own record. treated: a person with records at the actor's institution. break-glass: any \
person, with a reason. person: any one person. region: nobody in particular. any: one person or nobody in particular. \
site: only records of the actor's own site |
| reads, writes | stages; ``*`` means all |
| consent | denials: what a person denied is left out. granted: only what the person granted. left-out: persons who \
denied are left out. ignored: the law or the person's own wish allows it |

What has no line is denied.
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
        role: Who.
        action: What.
        purpose: Why.
        scope: With whose records.
        reads: Stages that may be read.
        writes: Stages that may be written.
        consent: What the person's consents have to say about it.
    """

    role: str
    action: str
    purpose: str
    scope: str
    reads: frozenset[str]
    writes: frozenset[str]
    consent: str

    def serves(self, purpose: str) -> bool:
        """Whether the line is for a purpose.

        Args:
            purpose: The purpose asked for.
        """
        if purpose in BREAK_GLASS or self.purpose in BREAK_GLASS:
            return purpose == self.purpose
        return within(purpose, self.purpose)

    def covers(self, reads: frozenset[str], writes: frozenset[str]) -> bool:
        """Whether the line allows the stages; what may be written may be read.

        Args:
            reads: Stages to be read.
            writes: Stages to be written.
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
