"""The switches of the build: readings of FHIR and OMOP that a region may settle otherwise."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rules"]


@dataclass(frozen=True)
class Rules:
    """Readings that a region may settle otherwise; docs/reference/interpretations.md says why these are the defaults.

    Args:
        request_statuses: MedicationRequest.status that becomes a drug exposure; empty: none does.
        request_intents: MedicationRequest.intent that becomes a drug exposure.
        gap_days: Days without a record that an era bridges.

    Example:
        >>> Rules().gap_days
        30
    """

    request_statuses: tuple[str, ...] = ("active", "completed", "stopped")
    request_intents: tuple[str, ...] = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
    gap_days: int = 30
