"""What a command is about to do, said before anything is opened, so that it can be decided and written down."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Intent"]


@dataclass(frozen=True)
class Intent:
    """One command's own words about itself.

    Args:
        action: What it does, by a name that the roles know (`xinglin.access`).
        reads: Stages it reads; `xinglin.core.permit.EVERY` means all.
        writes: Stages it writes.
        purpose: Why, as HL7 v3 PurposeOfUse has it: TREAT, HRESCH, HOPERAT, HSYSADMIN, PATRQT, BTG, …
        person: The one person it concerns; None for the population or for nobody.
        population: Whether it reads records of all persons.
        data_classes: Kinds of records it reads, by FHIR resource type; empty for all that the stages hold.
        sites: Sites whose records it brings.
        break_glass: Why an emergency must go before what is missing; None for every ordinary use.

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
