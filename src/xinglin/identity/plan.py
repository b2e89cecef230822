"""How much a linking run has to do, decided from what changed; and the report of what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from xinglin.identity.features.extract import LandedPatients

__all__ = ["GROWTH", "RULES", "SMALL", "Basis", "LinkReport", "Patients", "Plan", "plan_linking"]

RULES = 3
"""Grows when features, levels or clustering change their meaning, so that everything is linked again."""
SMALL = 5_000
"""Up to so many records, every run that brings a record scores every pair again."""
GROWTH = 1.1
"""Larger regions are trained and scored again when they have grown by this factor."""
_RISE = 0.5


class Patients(Protocol):
    """What linking needs of the landing."""

    def files(self, resource_type: str | None = None) -> Sequence[LandedPatients]:
        """Landed files of one resource type, in order of site, batch and name."""
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
        scope: Nothing; only persons, from the known pairs; what the files of `fresh` bring; or everything.
        fresh: Names of files never linked before.
    """

    scope: Literal["nothing", "persons", "arriving", "everything"]
    fresh: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Basis:
    """What the region was when its pairs were last scored with a freshly trained model.

    Args:
        records: Records compared.
        bits: The prior's weight.
        households: Whether households were in the data.
        cards: Identifier systems learned as person-wide.
    """

    records: int
    bits: float
    households: bool
    cards: tuple[str, ...]

    def holds_for(self, now: Basis) -> bool:
        """Whether pairs scored then may stand beside those scored now, under the prior of now.

        Below `SMALL` records everything is scored on every run: it takes seconds, and the persons are the same
        whatever the deliveries were.

        Example:
            >>> Basis(100_000, -17.0, True, ()).holds_for(Basis(105_000, -17.1, True, ()))
            True
            >>> Basis(100_000, -17.0, True, ()).holds_for(Basis(120_000, -17.3, True, ()))
            False
        """
        return (
            now.records > SMALL
            and self.records <= now.records <= GROWTH * self.records
            and now.bits - self.bits <= _RISE
            and (self.households, self.cards) == (now.households, now.cards)
        )


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
        Plan(scope='arriving', fresh=frozenset({'b'}))
    """
    if full or before is None or before["rules"] != now["rules"]:
        return Plan("everything")
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
