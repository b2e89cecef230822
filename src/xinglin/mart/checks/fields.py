"""Rules that follow from a contract alone: tables, columns, types, required fields, keys, foreign keys."""

from __future__ import annotations

from collections.abc import Iterator

from xinglin.contracts.mart import EVENT_DATES, IMAGING_TABLES, OMOP_TABLES
from xinglin.contracts.model import Column, Table
from xinglin.mart.checks.rule import QueryRule, Rule, ScanRule, SchemaRule

__all__ = ["field_rules"]

_FOREIGN_KEYS = {
    "person.person_id": "person",
    "visit_occurrence.visit_occurrence_id": "visit",
    "visit_detail.visit_detail_id": "visit_detail",
    "provider.provider_id": "provider",
    "care_site.care_site_id": "care_site",
    "location.location_id": "location",
    "procedure_occurrence.procedure_occurrence_id": "procedure",
    "image_occurrence.image_occurrence_id": "image",
}


_OF_ITS_OWN_TABLE = {
    "preceding_visit_occurrence_id": "preceding",
    "preceding_visit_detail_id": "preceding_detail",
    "parent_visit_detail_id": "parent_detail",
}
"""Joins of a table with itself."""


def field_rules(table: Table) -> Iterator[Rule]:
    """Every rule that one table's contract implies.

    Example:
        >>> from xinglin.contracts.mart import TABLES
        >>> sorted({rule.name for rule in field_rules(TABLES["death"])})[:4]
        ['cdmDatatype', 'cdmField', 'cdmTable', 'isForeignKey']
    """
    yield SchemaRule("cdmTable", "conformance", "table", table.name, "", "The table was not published", blocking=True)
    yield _unique(table)
    for column in table.columns:
        yield from _column_rules(table, column)
    yield from _foreign_keys(table)


def _column_rules(table: Table, column: Column) -> Iterator[Rule]:
    name = column.name
    yield SchemaRule("cdmField", "conformance", "field", table.name, name, "The column is missing", blocking=True)
    yield SchemaRule(
        "cdmDatatype",
        "conformance",
        "field",
        table.name,
        name,
        f"The column is not of type {column.type}",
        blocking=True,
        expected=column.type,
    )
    if column.required:
        yield ScanRule(
            "isRequired",
            "completeness",
            "field",
            table.name,
            name,
            "A value that the contract requires is missing",
            blocking=True,
            violation=f"t.{name} IS NULL",
        )
    elif table.name in OMOP_TABLES or table.name in IMAGING_TABLES:
        yield ScanRule(
            "measureValueCompleteness",
            "completeness",
            "field",
            table.name,
            name,
            "The value is not known; reported, never a failure",
            threshold=1.0,
            violation=f"t.{name} IS NULL",
        )
    if column.type == "VARCHAR" and not column.required:
        yield ScanRule(
            "isNotBlank",
            "conformance",
            "field",
            table.name,
            name,
            "An empty text stands where NULL should say that nothing is known",
            applies=f"t.{name} IS NOT NULL",
            violation=f"trim(t.{name}) = ''",
        )
    if name in table.key and column.type == "BIGINT" and len(table.key) == 1:
        yield ScanRule(
            "isKeyInRange",
            "conformance",
            "field",
            table.name,
            name,
            "A key is not a positive 63-bit number",
            blocking=True,
            violation=f"t.{name} < 0",
        )


def _unique(table: Table) -> QueryRule:
    """Counting surplus rows is one aggregation; only when there are any are the rows themselves looked for."""
    key = ", ".join(table.key)
    return QueryRule(
        "isPrimaryKey",
        "conformance",
        "field" if len(table.key) == 1 else "table",
        table.name,
        key if len(table.key) == 1 else "",
        "Several rows have the same key, through a row written twice or two resources whose keys collide",
        blocking=True,
        counts=f"SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (n > 1), 0) "
        f"FROM (SELECT count(*) AS n FROM {table.name} GROUP BY {key})",
        failing=f"SELECT * FROM {table.name} QUALIFY count(*) OVER (PARTITION BY {key}) > 1",
    )


def _foreign_keys(table: Table) -> Iterator[ScanRule]:
    for column in table.columns:
        join = _FOREIGN_KEYS.get(column.references)
        if join is None or (table.name, column.name) == ("person", "person_id"):
            continue
        join = _OF_ITS_OWN_TABLE.get(column.name, join)
        target = column.references.split(".")[1]
        yield ScanRule(
            "isForeignKey",
            "conformance",
            "field",
            table.name,
            column.name,
            f"No row of {column.references.split('.')[0]} has this key",
            blocking=True,
            applies=f"t.{column.name} IS NOT NULL",
            violation=f"{join}.{target} IS NULL",
            joins=(join,),
        )
    if table.name == "cost":
        yield ScanRule(
            "isForeignKey",
            "conformance",
            "field",
            table.name,
            "cost_event_id",
            "No row of visit_occurrence has this key",
            blocking=True,
            applies="t.cost_domain_id = 'Visit'",
            violation="charged.visit_occurrence_id IS NULL",
            joins=("charged",),
        )
    if table.name in EVENT_DATES and table.name != "visit_occurrence":
        yield ScanRule(
            "isVisitOfSamePerson",
            "conformance",
            "field",
            table.name,
            "visit_occurrence_id",
            "The visit is another person's",
            applies="visit.person_id IS NOT NULL",
            violation="visit.person_id <> t.person_id",
            joins=("visit",),
        )
