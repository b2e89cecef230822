"""Synthetic region: persons with years of records at several institutions, and the ground truth about them.

Example:
    >>> from xinglin.synthetic import RegionPlan
    >>> [site.name for site in RegionPlan(persons=10).sites]
    ['east-hospital', 'lake-health-centre', 'garden-clinic', 'north-exam-centre']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinglin.synthetic.plan import RegionPlan, RegionReport, Site, institutional

if TYPE_CHECKING:
    from xinglin.synthetic.build import generate

__all__ = ["RegionPlan", "RegionReport", "Site", "generate", "institutional"]


def __getattr__(name: str) -> object:
    if name == "generate":
        from xinglin.synthetic.build import generate

        return generate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
