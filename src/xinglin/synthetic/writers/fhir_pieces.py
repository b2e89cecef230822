"""Pieces of FHIR JSON that are constant per term, made once per process."""

from __future__ import annotations

from functools import cache

import orjson

from xinglin.synthetic.vocabulary.codes import Concept
from xinglin.synthetic.vocabulary.terms import (
    BARTHEL,
    BLOOD_PRESSURE,
    BMI,
    HEART_RATE,
    HEIGHT,
    NIHSS,
    OXYGEN,
    RANKIN,
    SMOKING,
    TEMPERATURE,
    WEIGHT,
)  # fmt: skip

__all__ = [
    "HL7",
    "category_of",
    "coding_json",
    "concept_json",
    "observation_head",
    "quantity_end",
    "status_json",
    "text",
]

HL7 = "http://terminology.hl7.org/CodeSystem"
_ICD10 = "http://hl7.org/fhir/sid/icd-10"
_UNITS = {"{score}": "score", "Cel": "°C", "umol/L": "µmol/L", "10*9/L": "10^9/L", "/min": "beats/minute"}
_VITAL = {HEIGHT, WEIGHT, BMI, BLOOD_PRESSURE, HEART_RATE, TEMPERATURE, OXYGEN}
_SURVEY = {NIHSS, BARTHEL, RANKIN}
_CATEGORY_NAMES = {"vital-signs": "Vital Signs", "laboratory": "Laboratory", "survey": "Survey",
                   "social-history": "Social History"}  # fmt: skip


def text(value: str) -> str:
    """A JSON string, quotes included."""
    return orjson.dumps(value).decode()


@cache
def concept_json(concept: Concept) -> str:
    """A CodeableConcept."""
    codings = [{"system": concept.system, "code": concept.code, "display": concept.display}]
    if concept.icd10:
        codings.append({"system": _ICD10, "code": concept.icd10})
    return orjson.dumps({"coding": codings}).decode()


@cache
def coding_json(concept: Concept) -> str:
    """A Coding."""
    return orjson.dumps({"system": concept.system, "code": concept.code, "display": concept.display}).decode()


@cache
def category_of(concept: Concept) -> str:
    """The category of an observation: vital-signs, survey, social-history or laboratory."""
    if concept in _VITAL:
        return "vital-signs"
    if concept in _SURVEY:
        return "survey"
    return "social-history" if concept is SMOKING else "laboratory"


@cache
def observation_head(concept: Concept) -> str:
    """The part of an Observation between id and subject."""
    category = category_of(concept)
    return (
        f'"status":"final","category":[{{"coding":[{{"system":"{HL7}/observation-category","code":"{category}",'
        f'"display":"{_CATEGORY_NAMES[category]}"}}]}}],"code":{concept_json(concept)}'
    )


@cache
def quantity_end(ucum: str) -> str:
    """The part of a Quantity after its value."""
    shown = text(_UNITS.get(ucum, ucum))
    return f'"unit":{shown},"system":"http://unitsofmeasure.org","code":{text(ucum)}}}'


@cache
def status_json(system: str, code: str) -> str:
    """A CodeableConcept from one of HL7's code systems."""
    return f'{{"coding":[{{"system":"{HL7}/{system}","code":"{code}"}}]}}'
