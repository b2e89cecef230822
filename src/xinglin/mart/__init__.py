"""The mart: OMOP CDM 5.4 from landed FHIR resources, per person bucket.

Example:
    >>> from xinglin.mart import MartReport
    >>> MartReport.__name__
    'MartReport'
"""

from xinglin.mart.build import MartReport, build_mart
from xinglin.mart.check import CheckReport, check_mart, rules
from xinglin.mart.rules import Rules
from xinglin.mart.vocabulary import VocabularyReport, load_vocabulary

__all__ = [
    "CheckReport",
    "MartReport",
    "Rules",
    "VocabularyReport",
    "build_mart",
    "check_mart",
    "load_vocabulary",
    "rules",
]
