"""Which institutions a person attends."""

from __future__ import annotations

from bisect import bisect
from functools import lru_cache
from itertools import accumulate
from random import Random

from xinglin.synthetic.plan import RegionPlan, Site

__all__ = ["attended_sites", "draw_site"]

_HOME = (("hospital", 0.38), ("health-centre", 0.37), ("clinic", 0.25))
_OTHER = (("hospital", 0.40), ("health-centre", 0.20), ("clinic", 0.20), ("exam-centre", 0.20))
# Emergencies add hospitals that a person had not attended; in total about a third attend several sites.
_SEVERAL = 0.265
_SEVERAL_PATIENTS_ONLY = 0.34


@lru_cache(maxsize=16)
def _cumulated(plan: RegionPlan, weights: tuple[tuple[str, float], ...]) -> tuple[float, ...]:
    """Cumulative weight of each institution: the weight of its kind, divided evenly within the kind."""
    of_kind = dict(weights)
    kinds = [site.kind for site in plan.sites]
    return tuple(accumulate(of_kind.get(kind, 0.0) / kinds.count(kind) for kind in kinds))


def draw_site(plan: RegionPlan, weights: tuple[tuple[str, float], ...], rng: Random) -> Site:
    """Draw an institution: its kind by weight, then evenly within the kind."""
    cumulated = _cumulated(plan, weights)
    return plan.sites[bisect(cumulated, rng.random() * cumulated[-1], 0, len(cumulated) - 1)]


def attended_sites(plan: RegionPlan, rng: Random) -> list[Site]:
    """The institutions a person attends by choice; the first is the usual one.

    Example:
        >>> attended_sites(RegionPlan(persons=1), Random(1))[0].kind != "exam-centre"
        True
    """
    found = [draw_site(plan, _HOME, rng)]
    chance = _SEVERAL_PATIENTS_ONLY if plan.patients_only else _SEVERAL
    if rng.random() >= chance:
        return found
    size = rng.random()
    wanted = min(len(plan.sites), 2 if size < 0.72 else 3 if size < 0.95 else 4)
    while len(found) < wanted:
        site = draw_site(plan, _OTHER, rng)
        if site not in found:
            found.append(site)
    return found
