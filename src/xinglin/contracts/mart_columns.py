"""The words that the mart's contracts are written in: kinds of column that OMOP tables share."""

from __future__ import annotations

from xinglin.contracts.model import Column

__all__ = [
    "PERSON",
    "PROVIDER",
    "VISIT",
    "VISIT_DETAIL",
    "concept",
    "day",
    "identifier",
    "link",
    "moment",
    "number",
    "source_concept",
    "text",
    "whole",
]


def identifier(name: str, what: str) -> Column:
    """The 63-bit key of a row.

    Example:
        >>> identifier("note_id", "note").meaning
        'Key of the note, the same in every build'
    """
    return Column(name, "BIGINT", f"Key of the {what}, the same in every build", required=True)


def link(name: str, references: str, meaning: str, *, required: bool = False) -> Column:
    """A foreign key; `references` is ``table.column``, or empty where the target table depends on the row.

    Example:
        >>> link("person_id", "person.person_id", "The person").references
        'person.person_id'
    """
    return Column(name, "BIGINT", meaning, required=required, references=references)


def concept(name: str, meaning: str, *, required: bool = False) -> Column:
    """A concept id; 0 where no vocabulary knows the code.

    Example:
        >>> concept("race_concept_id", "Race").references
        'concept.concept_id'
    """
    return Column(name, "INTEGER", meaning, required=required, references="concept.concept_id")


def source_concept(name: str, what: str) -> Column:
    """The concept of the code as the site wrote it, before mapping to the standard."""
    return concept(name, f"Concept of the {what} code as the site wrote it; 0 where unknown")


def day(name: str, meaning: str, *, required: bool = False) -> Column:
    """A calendar day."""
    return Column(name, "DATE", meaning, required=required)


def moment(name: str, meaning: str, *, required: bool = False) -> Column:
    """A moment on the clock of the place, as written; NULL where the source gives only the day."""
    return Column(name, "TIMESTAMP", meaning, required=required)


def text(name: str, meaning: str, *, required: bool = False) -> Column:
    """A text."""
    return Column(name, "VARCHAR", meaning, required=required)


def number(name: str, meaning: str, unit: str = "") -> Column:
    """A number that may have a fraction."""
    return Column(name, "DOUBLE", meaning, unit=unit)


def whole(name: str, meaning: str, unit: str = "", *, required: bool = False) -> Column:
    """A whole number."""
    return Column(name, "INTEGER", meaning, unit=unit, required=required)


PERSON = link("person_id", "person.person_id", "The person the row is about", required=True)
PROVIDER = link("provider_id", "provider.provider_id", "The professional or team responsible")
VISIT = link("visit_occurrence_id", "visit_occurrence.visit_occurrence_id", "The visit it happened in")
VISIT_DETAIL = link("visit_detail_id", "visit_detail.visit_detail_id", "Part of the visit it happened in")
