"""Which institutions a person goes to."""

from __future__ import annotations

from random import Random

from xinglin.region.people import Person
from xinglin.region.plan import RegionPlan, Site
from xinglin.region.streams import stream

__all__ = ["attended_sites", "draw_site"]

_HOME = (("hospital", 0.38), ("health-centre", 0.37), ("clinic", 0.25))
_OTHER = (("hospital", 0.40), ("health-centre", 0.20), ("clinic", 0.20), ("exam-centre", 0.20))
# Emergencies bring further persons to a hospital they had not been to; together about a third see several sites.
_SEVERAL = 0.285
_SEVERAL_PATIENTS_ONLY = 0.34


def draw_site(sites: tuple[Site, ...], weights: tuple[tuple[str, float], ...], rng: Random) -> Site:
    """An institution, first by the weight of its kind, then evenly."""
    there = {site.kind for site in sites}
    fitting = [(kind, weight) for kind, weight in weights if kind in there] or [(sites[0].kind, 1.0)]
    rest = rng.random() * sum(weight for _, weight in fitting)
    for kind, weight in fitting:
        rest -= weight
        if rest < 0:
            break
    same = [site for site in sites if site.kind == kind]
    return same[rng.randrange(len(same))]


def attended_sites(plan: RegionPlan, sites: tuple[Site, ...], person: Person) -> list[Site]:
    """The institutions a person goes to by choice; the first is where they usually go.

    Example:
        >>> from xinglin.region.people import make_person
        >>> plan = RegionPlan(persons=1)
        >>> attended_sites(plan, plan.sites, make_person(plan, 0))[0].kind != "exam-centre"
        True
    """
    rng = stream(plan.seed, person.number, "attendance")
    found = [draw_site(sites, _HOME, rng)]
    chance = _SEVERAL_PATIENTS_ONLY if plan.patients_only else _SEVERAL
    if rng.random() >= chance:
        return found
    size = rng.random()
    wanted = min(len(sites), 2 if size < 0.72 else 3 if size < 0.95 else 4)
    while len(found) < wanted:
        site = draw_site(sites, _OTHER, rng)
        if site not in found:
            found.append(site)
    return found
