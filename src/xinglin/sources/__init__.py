"""Sources: each speaks one format and yields FHIR R4 resources.

What lies at a path is discovered and split into parts by the main process; any process can read a part's records.
"""

from xinglin.sources.discover import Found, discover
from xinglin.sources.formats import records
from xinglin.sources.limits import Limits
from xinglin.sources.opened import Received
from xinglin.sources.part import Part, digest_of
from xinglin.sources.reading import FORMATS, Reading
from xinglin.sources.record import KEPT, Record, Rejected, Resource
from xinglin.sources.split import Splitter

__all__ = [
    "FORMATS",
    "KEPT",
    "Found",
    "Limits",
    "Part",
    "Reading",
    "Received",
    "Record",
    "Rejected",
    "Resource",
    "Splitter",
    "digest_of",
    "discover",
    "records",
]
