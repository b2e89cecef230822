"""What a source yields: a resource that may be landed, or a record set aside with a reason."""

from __future__ import annotations

import msgspec

__all__ = ["KEPT", "Record", "Rejected", "Resource"]

KEPT = 1_000_000
"""Bytes that are kept of a record that is set aside."""


class Rejected(Exception):
    """A record that cannot be landed.

    Args:
        reason: Short stable word.
        detail: What was expected and where; never a value.

    Attributes:
        raw: The text that cannot be read, where one field alone is the reason; it is never printed.
    """

    raw = ""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One resource that may be landed.

    Args:
        resource_type: Its type.
        resource_id: Its id.
        patient_id: Id of the Patient it is about, its own for a Patient; ``?identifier=system|value`` where the Patient
            is named by an identifier; None where none is named.
        text: The JSON without whitespace between tokens, numbers as they were written.
        updated: When it was last changed (``meta.lastUpdated``), in microseconds since 1970 UTC; None where it does
            not say.
        unknown: Names of its elements that FHIR R4 does not know.
        deleted: Whether it says no more than that the resource was deleted.
    """

    resource_type: str
    resource_id: str
    patient_id: str | None
    text: bytes
    updated: int | None = None
    deleted: bool = False
    unknown: tuple[str, ...] = ()


class Record(msgspec.Struct, frozen=True, gc=False):
    """One received record: where it stood and what became of it.

    Args:
        position: Line, entry, message or row number, from 1; 0 for the file as a whole.
        found: The resource, or why there is none.
        raw: The record as received, for the quarantine.
        size: Its length where `raw` is only its beginning.
        mention: Whether it only mentions what another record states (the patient of a laboratory message, the patient
            of an image): it is landed only where nothing is known under its key, and replaces nothing.
        keep: An object to be kept as received under its SHA-256 (a DICOM object).
    """

    position: int
    found: Resource | Rejected
    raw: bytes
    size: int = -1
    mention: bool = False
    keep: bytes | None = None
