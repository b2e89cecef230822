"""Why somebody asks: the codes of HL7 v3 PurposeOfUse that Xinglin knows, and what lies below what.

The codes are those of http://terminology.hl7.org/CodeSystem/v3-ActReason below PurposeOfUse. A consent that names a
purpose speaks of all purposes below it.
"""

from __future__ import annotations

from functools import cache

__all__ = ["BREAK_GLASS", "MEANINGS", "PARENTS", "SYSTEM", "above", "known", "within"]

SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
"""The code system of the purposes."""

PARENTS: dict[str, str | None] = {
    "TREAT": None,
    "CAREMGT": "TREAT",
    "CLINTRL": "TREAT",
    "COC": "TREAT",
    "ETREAT": "TREAT",
    "BTG": "ETREAT",
    "ERTREAT": "ETREAT",
    "HPAYMT": None,
    "HOPERAT": None,
    "HQUALIMP": "HOPERAT",
    "HCOMPL": "HOPERAT",
    "HSYSADMIN": "HOPERAT",
    "PATADMIN": "HOPERAT",
    "RECORDMGT": "HOPERAT",
    "HRESCH": None,
    "CLINTRCH": "HRESCH",
    "PUBHLTH": None,
    "PATRQT": None,
    "FAMRQT": "PATRQT",
    "HMARKT": None,
}
"""Each purpose with the one above it; the treatment codes first."""

MEANINGS = {
    "TREAT": "treatment",
    "CAREMGT": "care management",
    "CLINTRL": "treatment within a clinical trial",
    "COC": "coordination of care",
    "ETREAT": "emergency treatment",
    "BTG": "break the glass",
    "ERTREAT": "treatment in an emergency room",
    "HPAYMT": "payment",
    "HOPERAT": "operations",
    "HQUALIMP": "quality improvement",
    "HCOMPL": "compliance",
    "HSYSADMIN": "administration of the system",
    "PATADMIN": "administration of patients",
    "RECORDMGT": "administration of records",
    "HRESCH": "research",
    "CLINTRCH": "clinical trial research",
    "PUBHLTH": "public health",
    "PATRQT": "the patient asked",
    "FAMRQT": "the family asked",
    "HMARKT": "marketing",
}
"""What each purpose means, for people."""

BREAK_GLASS = frozenset({"BTG", "ETREAT"})
"""The purposes under which a clinician with a reason reads whatever treatment needs."""


def known(purpose: str) -> bool:
    """Whether it is a purpose that Xinglin knows.

    Args:
        purpose: A code of `SYSTEM`.
    """
    return purpose in PARENTS


@cache
def above(purpose: str) -> frozenset[str]:
    """The purpose and all above it.

    Args:
        purpose: A code of `SYSTEM`.

    Example:
        >>> sorted(above("BTG"))
        ['BTG', 'ETREAT', 'TREAT']
    """
    wider = PARENTS.get(purpose)
    return frozenset({purpose}) | (above(wider) if wider else frozenset())


def within(purpose: str, wider: str) -> bool:
    """Whether a purpose is another one or lies below it.

    Args:
        purpose: The purpose asked for.
        wider: The purpose that a rule or a consent names.

    Example:
        >>> within("BTG", "TREAT"), within("TREAT", "BTG")
        (True, False)
    """
    return wider in above(purpose)
