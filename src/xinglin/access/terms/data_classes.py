"""What is asked for: kinds of records by FHIR resource type, and how sensitive they are.

A data class is the name of a FHIR resource type (``Observation``), or a code of the sensitivity labels of
http://terminology.hl7.org/CodeSystem/v3-ActCode (``HIV``). A resource belongs to its type and to every sensitivity
that its `meta.security` names, and may be given only where all of its classes may. A type that is not listed here is
given to nobody by a decision about one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "CLINICAL",
    "EVERY_CLASS",
    "FINANCIAL",
    "GENERAL",
    "IDENTIFYING",
    "LABEL_SYSTEM",
    "SENSITIVE",
    "TYPE_SYSTEM",
    "classes_of",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TYPE_SYSTEM = "http://hl7.org/fhir/resource-types"
"""The code system of the types, as Consent.provision.class and AuditEvent.entity.type name them."""

LABEL_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
"""The code system of the sensitivity labels, as Consent.provision.securityLabel names them."""

IDENTIFYING = frozenset({"Patient", "RelatedPerson", "Person"})
"""Types that say who somebody is."""

CLINICAL = _words("""
    AdverseEvent AllergyIntolerance Appointment Basic BodyStructure CarePlan CareTeam ClinicalImpression
    Communication Composition Condition DetectedIssue Device DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentReference Encounter EpisodeOfCare FamilyMemberHistory Flag Goal ImagingStudy Immunization
    ImmunizationRecommendation List Media MedicationAdministration MedicationDispense MedicationRequest
    MedicationStatement MolecularSequence NutritionOrder Observation Procedure QuestionnaireResponse
    RequestGroup ResearchSubject RiskAssessment ServiceRequest Specimen SupplyDelivery SupplyRequest Task
    VisionPrescription
""")
"""Types that say what was found or done."""

FINANCIAL = _words("""
    Account ChargeItem Claim ClaimResponse Coverage ExplanationOfBenefit Invoice
""")
"""Types that say who pays."""

GENERAL = _words("""
    HealthcareService Location Medication Organization Practitioner PractitionerRole Provenance Substance
""")
"""Types that are about nobody's health, but are named by records that are."""

SENSITIVE = frozenset({"ETH", "GDIS", "HIV", "MST", "PSY", "SCA", "SDV", "SEX", "STD", "SUD"})
"""Sensitivities: substance use, genetics, HIV, mental health, violence, sexual and reproductive health, …"""

EVERY_CLASS = IDENTIFYING | CLINICAL | FINANCIAL | GENERAL | SENSITIVE
"""All classes: what a request for one person's whole record asks for."""


def classes_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """The classes a FHIR resource belongs to.

    Args:
        resource: The resource as parsed JSON.

    Example:
        >>> label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}
        >>> sorted(classes_of({"resourceType": "Observation", "meta": {"security": [label]}}))
        ['HIV', 'Observation']
    """
    labels = resource.get("meta", {}).get("security", [])
    return frozenset({str(resource["resourceType"])} | {label.get("code") for label in labels} & SENSITIVE)
