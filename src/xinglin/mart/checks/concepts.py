"""Rules about concepts: known to the vocabulary, standard, of the right domain, and not 0."""

from __future__ import annotations

from collections.abc import Iterator

from xinglin.contracts.model import Column, Table
from xinglin.mart.checks.rule import ConceptRule, QueryRule, Rule, ScanRule

__all__ = ["MAIN_CONCEPTS", "concept_rules"]

MAIN_CONCEPTS = {
    "visit_occurrence": ("visit_concept_id", "visit_source_value"),
    "condition_occurrence": ("condition_concept_id", "condition_source_value"),
    "drug_exposure": ("drug_concept_id", "drug_source_value"),
    "procedure_occurrence": ("procedure_concept_id", "procedure_source_value"),
    "device_exposure": ("device_concept_id", "device_source_value"),
    "measurement": ("measurement_concept_id", "measurement_source_value"),
    "observation": ("observation_concept_id", "observation_source_value"),
    "provider": ("specialty_concept_id", "specialty_source_value"),
    "death": ("cause_concept_id", "cause_source_value"),
}
"""What a row is about, as a concept and as the site wrote it."""

_DOMAINS = {
    "condition_concept_id": "Condition",
    "drug_concept_id": "Drug",
    "procedure_concept_id": "Procedure",
    "device_concept_id": "Device",
    "measurement_concept_id": "Measurement",
    "visit_concept_id": "Visit",
    "visit_detail_concept_id": "Visit",
    "gender_concept_id": "Gender",
    "race_concept_id": "Race",
    "ethnicity_concept_id": "Ethnicity",
    "unit_concept_id": "Unit",
    "route_concept_id": "Route",
    "operator_concept_id": "Meas Value Operator",
    "currency_concept_id": "Currency",
    "condition_status_concept_id": "Condition Status",
    "country_concept_id": "Geography",
}


def concept_rules(table: Table) -> Iterator[Rule]:
    """The rules that a table's concept columns call for.

    Example:
        >>> from xinglin.contracts.mart import TABLES
        >>> {rule.name for rule in concept_rules(TABLES["drug_era"])} >= {"fkDomain", "isStandardValidConcept"}
        True
    """
    for column in table.columns:
        if column.references == "concept.concept_id":
            yield from _column(table, column)
    if table.name in MAIN_CONCEPTS:
        yield _source_values(table.name, *MAIN_CONCEPTS[table.name])


def _column(table: Table, column: Column) -> Iterator[Rule]:
    def known(name: str, meaning: str, violation: str) -> ConceptRule:
        return ConceptRule(name, "conformance", "field", table.name, column.name, meaning, violation=violation)

    yield known("isForeignKey", "The vocabulary that is loaded does not hold the concept", "c.concept_id IS NULL")
    is_source = "_source_concept_id" in column.name
    if not is_source:
        yield known(
            "isStandardValidConcept",
            "The concept is not a standard one, or no longer valid",
            "c.concept_id IS NOT NULL AND "
            "(c.standard_concept IS DISTINCT FROM 'S' OR coalesce(c.invalid_reason, '') <> '')",
        )
    domain = "Type Concept" if "_type_concept_id" in column.name else _DOMAINS.get(column.name)
    if domain:
        yield known(
            "fkDomain",
            f"The concept is not of the domain {domain}",
            f"c.concept_id IS NOT NULL AND c.domain_id IS DISTINCT FROM '{domain}'",
        )
    main, source = MAIN_CONCEPTS.get(table.name, ("", ""))
    is_main = column.name in {main, main.replace("_concept_id", "_source_concept_id")}
    # No OMOP vocabulary holds HL7's visit classes; the standard concept comes from the administrative map.
    is_main = is_main and column.name != "visit_source_concept_id"
    yield ScanRule(
        "sourceConceptRecordCompleteness" if is_source else "standardConceptRecordCompleteness",
        "completeness",
        "field",
        table.name,
        column.name,
        "The code has no concept (0): the vocabulary that is loaded does not know it",
        threshold=(0.10 if is_source else 0.05) if is_main else 1.0,
        applies=f"t.{column.name} IS NOT NULL" + (f" AND t.{source} IS NOT NULL" if is_main else ""),
        violation=f"t.{column.name} = 0",
    )


def _source_values(table: str, concept: str, source: str) -> QueryRule:
    codes = (
        f"SELECT {source}, count(*) AS rows, bool_and({concept} = 0) AS unmapped "
        f"FROM {table} WHERE {source} IS NOT NULL GROUP BY {source}"
    )
    return QueryRule(
        "sourceValueCompleteness",
        "completeness",
        "field",
        table,
        source,
        "A code that no vocabulary knows (counted by code, not by row)",
        threshold=0.10,
        counts=f"SELECT count(*), count_if(unmapped) FROM ({codes})",
        failing=f"SELECT {source}, rows FROM ({codes}) WHERE unmapped",
    )
