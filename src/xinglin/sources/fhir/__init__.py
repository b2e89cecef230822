"""FHIR R4 as files: what is offered, split into parts, and each part as checked resources."""

from xinglin.sources.fhir.check import check
from xinglin.sources.fhir.read import cut, recognises, records
from xinglin.sources.fhir.redaction import redact

__all__ = ["check", "cut", "recognises", "records", "redact"]
