"""How one ingest reads what it was given."""

from __future__ import annotations

from dataclasses import dataclass, field

from xinglin.sources.limits import Limits

__all__ = ["FORMATS", "Reading"]

FORMATS = ("auto", "fhir", "hl7v2", "tabular", "dicom")


@dataclass(frozen=True)
class Reading:
    """How one ingest reads what it was given.

    Args:
        format: One of `FORMATS`; ``auto`` looks at the content of every file.
        mapping: Text of the mapping file, where the site has one.
        limits: What is too large.

    Example:
        >>> Reading().format
        'auto'
    """

    format: str = "auto"
    mapping: str | None = None
    limits: Limits = field(default_factory=Limits)
