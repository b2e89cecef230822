"""The request that a command makes for access: action, stages, purpose and person, before it opens a region."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Intent"]


@dataclass(frozen=True)
class Intent:
    """A request for access.

    Args:
        action: Name of the action, as the table of roles has it (`xinglin.access`).
        reads: Stages it reads; `xinglin.core.permit.EVERY` means all.
        writes: Stages it writes.
        purpose: HL7 v3 PurposeOfUse: TREAT, HRESCH, HOPERAT, HSYSADMIN, PATRQT, BTG, …
        person: The one person it concerns; None for the population or for nobody.
        population: Whether it reads records of all persons.
        data_classes: FHIR resource types it reads; empty for all that the stages hold.
        sites: Sites whose records it lands.
        break_glass: Reason for break-glass access; None for ordinary access.

    Example:
        >>> Intent("ask", reads=frozenset({"mart"}), purpose="HRESCH", population=True).person is None
        True
    """

    action: str
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    purpose: str = "HOPERAT"
    person: int | None = None
    population: bool = False
    data_classes: frozenset[str] = frozenset()
    break_glass: str | None = None
    sites: frozenset[str] = frozenset()
