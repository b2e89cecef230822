"""What is asked for: kinds of records by FHIR resource type, and how sensitive they are.

A data class is the name of a FHIR resource type (``Observation``), or a code of the sensitivity labels of
http://terminology.hl7.org/CodeSystem/v3-ActCode (``HIV``). A resource belongs to its type and to every sensitivity
that its `meta.security` names, so leaving out a class leaves out the resources that belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["CLINICAL", "EVERY_CLASS", "IDENTIFYING", "LABEL_SYSTEM", "SENSITIVE", "TYPE_SYSTEM", "classes_of"]

TYPE_SYSTEM = "http://hl7.org/fhir/resource-types"
"""The code system of the types, as Consent.provision.class and AuditEvent.entity.type name them."""

LABEL_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
"""The code system of the sensitivity labels, as Consent.provision.securityLabel names them."""

IDENTIFYING = frozenset({"Patient", "RelatedPerson", "Person"})
"""Types that say who somebody is."""

CLINICAL = frozenset(
    {
        "AdverseEvent",
        "AllergyIntolerance",
        "BodyStructure",
        "CarePlan",
        "CareTeam",
        "ClinicalImpression",
        "Condition",
        "Device",
        "DeviceUseStatement",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "EpisodeOfCare",
        "FamilyMemberHistory",
        "Goal",
        "ImagingStudy",
        "Immunization",
        "Media",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Procedure",
        "QuestionnaireResponse",
        "ServiceRequest",
        "Specimen",
    }
)
"""Types that say what was found or done."""

SENSITIVE = frozenset({"ETH", "GDIS", "HIV", "MST", "PSY", "SCA", "SDV", "SEX", "STD", "SUD"})
"""Sensitivities: substance use, genetics, HIV, mental health, violence, sexual and reproductive health, …"""

EVERY_CLASS = IDENTIFYING | CLINICAL | SENSITIVE
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
