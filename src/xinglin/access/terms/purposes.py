"""Purposes of use: the supported codes of HL7 v3 PurposeOfUse and their hierarchy.

The codes are descendants of PurposeOfUse in http://terminology.hl7.org/CodeSystem/v3-ActReason. A consent for a purpose
applies to all its descendants.
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
"""Each purpose with its parent; treatment first."""

MEANINGS = {
    "TREAT": "treatment",
    "CAREMGT": "care management",
    "CLINTRL": "treatment within a clinical trial",
    "COC": "coordination of care",
    "ETREAT": "emergency treatment",
    "BTG": "emergency access (break-glass)",
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
    "PATRQT": "request of the patient",
    "FAMRQT": "request of the family",
    "HMARKT": "marketing",
}
"""Display name of each purpose."""

BREAK_GLASS = frozenset({"BTG", "ETREAT"})
"""Purposes of emergency access: a clinician with a reason may read without relation or consent."""


def known(purpose: str) -> bool:
    """Whether a purpose is supported.

    Args:
        purpose: A code of `SYSTEM`.
    """
    return purpose in PARENTS


@cache
def above(purpose: str) -> frozenset[str]:
    """A purpose and all its ancestors.

    Args:
        purpose: A code of `SYSTEM`.

    Example:
        >>> sorted(above("BTG"))
        ['BTG', 'ETREAT', 'TREAT']
    """
    wider = PARENTS.get(purpose)
    return frozenset({purpose}) | (above(wider) if wider else frozenset())


def within(purpose: str, wider: str) -> bool:
    """Whether a purpose equals another one or is its descendant.

    Args:
        purpose: The requested purpose.
        wider: The purpose in a rule or consent.

    Example:
        >>> within("BTG", "TREAT"), within("TREAT", "BTG")
        (True, False)
    """
    return wider in above(purpose)
