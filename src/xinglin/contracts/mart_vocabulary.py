"""Contracts of the vocabulary tables, as an Athena download or the administrative map fills them."""

from __future__ import annotations

from xinglin.contracts.mart_columns import concept, day, number, text, whole
from xinglin.contracts.model import Column, Table, Zone

__all__ = ["TABLES"]

_STAGE = "vocabulary"
_ZONE: Zone = "pseudonymous"
_VALID = (
    day("valid_start_date", "First day it is valid", required=True),
    day("valid_end_date", "Last day it is valid; 2099-12-31 while it is", required=True),
    text("invalid_reason", "D deleted, U replaced by an update; empty while valid"),
)


def _ref(name: str, references: str, meaning: str) -> Column:
    return Column(name, "VARCHAR", meaning, required=True, references=references)


_CONCEPT = Table(
    name="concept",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per concept",
    key=("concept_id",),
    columns=(
        whole("concept_id", "Number of the concept, given by OHDSI; above 2,000,000,000 our own", required=True),
        text("concept_name", "Its name", required=True),
        _ref("domain_id", "domain.domain_id", "Domain, which decides the table of its events"),
        _ref("vocabulary_id", "vocabulary.vocabulary_id", "Vocabulary it comes from"),
        _ref("concept_class_id", "concept_class.concept_class_id", "Class within the vocabulary"),
        text("standard_concept", "S standard, C classification, empty otherwise"),
        text("concept_code", "Code within the vocabulary", required=True),
        *_VALID,
    ),
)

_VOCABULARY = Table(
    name="vocabulary",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per vocabulary",
    key=("vocabulary_id",),
    columns=(
        text("vocabulary_id", "Short name", required=True),
        text("vocabulary_name", "Full name", required=True),
        text("vocabulary_reference", "Where it is published"),
        text("vocabulary_version", "Version"),
        concept("vocabulary_concept_id", "Concept that stands for it", required=True),
    ),
)

_DOMAIN = Table(
    name="domain",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per domain",
    key=("domain_id",),
    columns=(
        text("domain_id", "Short name", required=True),
        text("domain_name", "Full name", required=True),
        concept("domain_concept_id", "Concept that stands for it", required=True),
    ),
)

_CONCEPT_CLASS = Table(
    name="concept_class",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per concept class",
    key=("concept_class_id",),
    columns=(
        text("concept_class_id", "Short name", required=True),
        text("concept_class_name", "Full name", required=True),
        concept("concept_class_concept_id", "Concept that stands for it", required=True),
    ),
)

_CONCEPT_RELATIONSHIP = Table(
    name="concept_relationship",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per directed relationship between two concepts",
    key=("concept_id_1", "concept_id_2", "relationship_id"),
    columns=(
        concept("concept_id_1", "Concept it starts from", required=True),
        concept("concept_id_2", "Concept it leads to", required=True),
        _ref("relationship_id", "relationship.relationship_id", "Kind of relationship, such as Maps to"),
        *_VALID,
    ),
)

_RELATIONSHIP = Table(
    name="relationship",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per kind of relationship",
    key=("relationship_id",),
    columns=(
        text("relationship_id", "Short name", required=True),
        text("relationship_name", "Full name", required=True),
        text("is_hierarchical", "1 where it makes a hierarchy, else 0", required=True),
        text("defines_ancestry", "1 where concept_ancestor follows it, else 0", required=True),
        _ref("reverse_relationship_id", "relationship.relationship_id", "The same read backwards"),
        concept("relationship_concept_id", "Concept that stands for it", required=True),
    ),
)

_CONCEPT_SYNONYM = Table(
    name="concept_synonym",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per further name of a concept",
    key=("concept_id", "concept_synonym_name", "language_concept_id"),
    columns=(
        concept("concept_id", "The concept", required=True),
        text("concept_synonym_name", "The further name", required=True),
        concept("language_concept_id", "Language of it", required=True),
    ),
)

_CONCEPT_ANCESTOR = Table(
    name="concept_ancestor",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per concept and ancestor, itself included",
    key=("ancestor_concept_id", "descendant_concept_id"),
    columns=(
        concept("ancestor_concept_id", "The wider concept", required=True),
        concept("descendant_concept_id", "The narrower concept", required=True),
        whole("min_levels_of_separation", "Steps on the shortest way", required=True),
        whole("max_levels_of_separation", "Steps on the longest way", required=True),
    ),
)

_DRUG_STRENGTH = Table(
    name="drug_strength",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per drug and ingredient",
    key=("drug_concept_id", "ingredient_concept_id"),
    columns=(
        concept("drug_concept_id", "The drug", required=True),
        concept("ingredient_concept_id", "The ingredient", required=True),
        number("amount_value", "Amount in one piece", "amount_unit_concept_id"),
        concept("amount_unit_concept_id", "Unit of the amount"),
        number("numerator_value", "Numerator of a concentration", "numerator_unit_concept_id"),
        concept("numerator_unit_concept_id", "Unit of the numerator"),
        number("denominator_value", "Denominator of a concentration", "denominator_unit_concept_id"),
        concept("denominator_unit_concept_id", "Unit of the denominator"),
        whole("box_size", "Pieces in a box"),
        *_VALID,
    ),
)

_SOURCE_TO_CONCEPT_MAP = Table(
    name="source_to_concept_map",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per local code and target concept",
    key=("source_vocabulary_id", "source_code", "target_concept_id", "valid_end_date"),
    columns=(
        text("source_code", "The local code", required=True),
        concept("source_concept_id", "Concept of the local code; 0 where it has none", required=True),
        text("source_vocabulary_id", "Local vocabulary", required=True),
        text("source_code_description", "What the code means"),
        concept("target_concept_id", "Standard concept", required=True),
        _ref("target_vocabulary_id", "vocabulary.vocabulary_id", "Vocabulary of the standard concept"),
        *_VALID,
    ),
)

_CONCEPT_LOOKUP = Table(
    name="concept_lookup",
    stage=_STAGE,
    zone=_ZONE,
    grain="one row per code of a vocabulary and standard concept it maps to; derived, for the build",
    key=("vocabulary_id", "concept_code", "concept_id"),
    columns=(
        text("vocabulary_id", "Vocabulary of the code", required=True),
        text("concept_code", "Code within the vocabulary", required=True),
        concept("source_concept_id", "Concept of the code itself", required=True),
        concept("concept_id", "Standard concept it maps to; 0 where it maps to none", required=True),
        text("domain_id", "Domain that decides the table of its events", required=True),
    ),
)

TABLES = (
    _CONCEPT,
    _VOCABULARY,
    _DOMAIN,
    _CONCEPT_CLASS,
    _CONCEPT_RELATIONSHIP,
    _RELATIONSHIP,
    _CONCEPT_SYNONYM,
    _CONCEPT_ANCESTOR,
    _DRUG_STRENGTH,
    _SOURCE_TO_CONCEPT_MAP,
    _CONCEPT_LOOKUP,
)
