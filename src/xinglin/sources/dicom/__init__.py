"""DICOM objects: each kept as received, its header read as a mentioned Patient and a fragment of an ImagingStudy."""

from xinglin.sources.dicom.read import cut, recognises, records
from xinglin.sources.dicom.redaction import redact

__all__ = ["cut", "recognises", "records", "redact"]
