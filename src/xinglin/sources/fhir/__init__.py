"""FHIR R4 as files: what is offered, split into parts, and each part as checked resources."""

from xinglin.sources.fhir.check import Rejected, Resource, check
from xinglin.sources.fhir.discover import Found, discover
from xinglin.sources.fhir.limits import Limits
from xinglin.sources.fhir.part import Part, Record, digest_of, read, records
from xinglin.sources.fhir.split import Received, Splitter
from xinglin.sources.fhir.unpack import KEPT

__all__ = [
    "KEPT",
    "Found",
    "Limits",
    "Part",
    "Received",
    "Record",
    "Rejected",
    "Resource",
    "Splitter",
    "check",
    "digest_of",
    "discover",
    "read",
    "records",
]
