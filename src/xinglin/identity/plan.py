"""How much a linking run has to do, decided from what changed; and the report of what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from xinglin.identity.features.extract import LandedPatients

__all__ = ["RULES", "LinkReport", "Patients", "Plan", "plan_linking"]

RULES = 2
"""Grows when features, levels or clustering change their meaning, so that everything is linked anew."""


class Patients(Protocol):
    """What linking needs of the landing."""

    def files(self, resource_type: str | None = None) -> Sequence[LandedPatients]:
        """Landed files of one resource type, in order of site, batch and name."""
        ...

    def superseded(self) -> Mapping[tuple[str, int, str], Sequence[int]]:
        """Rows of landed files that later versions replaced."""
        ...


@dataclass(frozen=True)
class LinkReport:
    """What linking did.

    Args:
        records: Current Patient resources.
        new: Those of them that were compared in this run.
        persons: Persons they belong to.
        linked: Records that share their person with another record.
        review: Pairs that wait for a decision.
        seconds: Time taken.
        trained: How the model in use came about.
    """

    records: int
    new: int
    persons: int
    linked: int
    review: int
    seconds: float
    trained: str


@dataclass(frozen=True)
class Plan:
    """What a run has to do.

    Args:
        scope: Nothing; persons anew from the pairs known; only what files of `fresh` bring; or everything.
        fresh: Names of files never linked before.
        keep_model: Whether the model of the run before is used.
    """

    scope: Literal["nothing", "persons", "arriving", "everything"]
    fresh: frozenset[str] = frozenset()
    keep_model: bool = True


def plan_linking(before: Mapping[str, Any] | None, now: Mapping[str, Any], *, full: bool) -> Plan:
    """Decide how much is to be done.

    Args:
        before: ``sources``, ``decisions``, ``lower``, ``upper`` and ``rules`` as the last run left them.
        now: The same as they are now.
        full: Whether everything is asked for.

    Example:
        >>> was = {"sources": {"a": ["x", 0]}, "decisions": [], "lower": 0.5, "upper": 0.9, "rules": 1}
        >>> plan_linking(was, was, full=False).scope
        'nothing'
        >>> plan_linking(was, {**was, "upper": 0.8}, full=False).scope
        'persons'
        >>> plan_linking(was, {**was, "sources": {"a": ["x", 0], "b": ["y", 0]}}, full=False)
        Plan(scope='arriving', fresh=frozenset({'b'}), keep_model=True)
    """
    if full or before is None or before["rules"] != now["rules"]:
        return Plan("everything", keep_model=False)
    known, current = before["sources"], now["sources"]
    if any(name not in current or current[name][0] != known[name][0] for name in known):
        return Plan("everything")
    if before["lower"] != now["lower"]:
        return Plan("everything")
    fresh = frozenset(set(current) - set(known))
    if fresh:
        return Plan("arriving", fresh)
    unchanged = all(before[name] == now[name] for name in ("sources", "decisions", "upper"))
    return Plan("nothing" if unchanged else "persons")
