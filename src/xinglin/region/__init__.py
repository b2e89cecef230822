"""A made-up region: persons who live through years at several institutions, and the truth about them.

Example:
    >>> from xinglin.region import RegionPlan
    >>> [site.name for site in RegionPlan(persons=10).sites]
    ['east-hospital', 'lake-health-centre', 'garden-clinic', 'north-exam-centre']
"""

from xinglin.region.build import generate
from xinglin.region.plan import RegionPlan, RegionReport, Site

__all__ = ["RegionPlan", "RegionReport", "Site", "generate"]
