"""Terms of synthetic records: SNOMED CT, LOINC, RxNorm, CVX and ICD-10 codes with short displays."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CVX", "LOINC", "RXNORM", "SNOMED", "Concept", "cvx", "loinc", "rxnorm", "snomed"]

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"


@dataclass(frozen=True, eq=False, slots=True)
class Concept:
    """A term. Each term is created once, so terms are compared by identity.

    Args:
        system: Code system URI.
        code: The code.
        display: A short name.
        icd10: ICD-10 code of the same meaning, for diagnoses.
    """

    system: str
    code: str
    display: str
    icd10: str = ""


def snomed(code: str, display: str, icd10: str = "") -> Concept:
    """A SNOMED CT term."""
    return Concept(SNOMED, code, display, icd10)


def loinc(code: str, display: str) -> Concept:
    """A LOINC term."""
    return Concept(LOINC, code, display)


def rxnorm(code: str, display: str) -> Concept:
    """An RxNorm term."""
    return Concept(RXNORM, code, display)


def cvx(code: str, display: str) -> Concept:
    """A CVX vaccine."""
    return Concept(CVX, code, display)
