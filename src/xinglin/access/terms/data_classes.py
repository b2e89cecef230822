"""Data classes: FHIR resource types and sensitivity labels.

A data class is the name of a FHIR resource type (``Observation``) or a sensitivity label of
http://terminology.hl7.org/CodeSystem/v3-ActCode (``HIV``). A resource belongs to the class of its type and to every
label in its `meta.security`; it is permitted only if all of its classes are. A decision about one person never permits
a type that is not listed here.
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
"""Code system of the resource types, as in Consent.provision.class and AuditEvent.entity.type."""

LABEL_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
"""Code system of the sensitivity labels, as in Consent.provision.securityLabel."""

IDENTIFYING = frozenset({"Patient", "RelatedPerson", "Person"})
"""Types that identify a person."""

CLINICAL = _words("""
    AdverseEvent AllergyIntolerance Appointment Basic BodyStructure CarePlan CareTeam ClinicalImpression
    Communication Composition Condition DetectedIssue Device DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentReference Encounter EpisodeOfCare FamilyMemberHistory Flag Goal ImagingStudy Immunization
    ImmunizationRecommendation List Media MedicationAdministration MedicationDispense MedicationRequest
    MedicationStatement MolecularSequence NutritionOrder Observation Procedure QuestionnaireResponse
    RequestGroup ResearchSubject RiskAssessment ServiceRequest Specimen SupplyDelivery SupplyRequest Task
    VisionPrescription
""")
"""Types with clinical findings, orders and actions."""

FINANCIAL = _words("""
    Account ChargeItem Claim ClaimResponse Coverage ExplanationOfBenefit Invoice
""")
"""Types about payment."""

GENERAL = _words("""
    HealthcareService Location Medication Organization Practitioner PractitionerRole Provenance Substance
""")
"""Types without personal health data that clinical records refer to."""

SENSITIVE = frozenset({"ETH", "GDIS", "HIV", "MST", "PSY", "SCA", "SDV", "SEX", "STD", "SUD"})
"""Sensitivity labels: substance use, genetics, HIV, mental health, violence, sexual and reproductive health, …"""

EVERY_CLASS = IDENTIFYING | CLINICAL | FINANCIAL | GENERAL | SENSITIVE
"""All classes: one person's whole record."""


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
