"""Rules about several rows or tables together: persons, periods, eras, counts, lineage."""

from __future__ import annotations

from collections.abc import Iterator

from xinglin.contracts.mart import EVENT_TABLES, IMAGING_TABLES, OMOP_TABLES
from xinglin.contracts.model import Table
from xinglin.mart.checks.dates import SPANS
from xinglin.mart.checks.rule import QueryRule

__all__ = ["LINEAGE_SUMS", "whole_rules"]

_DERIVED = ("observation_period", "condition_era", "drug_era")
_WRITTEN_ONCE = (*EVENT_TABLES, "cost", *IMAGING_TABLES)
_ERA_GAP_DAYS = 30

LINEAGE_SUMS = "SELECT table_name, count(*) AS rows, sum(hash(row_id)) AS hashes FROM lineage GROUP BY table_name"
"""Number and sum of hashes of the row ids in lineage: where a table has the same, it has the same rows."""


def whole_rules(table: Table) -> Iterator[QueryRule]:
    """The rules about a table as a whole.

    Example:
        >>> from xinglin.contracts.mart import TABLES
        >>> [rule.name for rule in whole_rules(TABLES["cost"])]
        ['isReconciled', 'hasLineage', 'lineageLeadsToRow']
    """
    name = table.name
    of_images = name in IMAGING_TABLES
    if (name in OMOP_TABLES or of_images) and "person_id" in table.column_names and name != "person":
        yield _persons(name)
    if name == "observation_period":
        yield _apart(name, "person_id", 0)
    if name == "condition_era":
        yield _apart(name, "person_id, condition_concept_id", _ERA_GAP_DAYS)
        yield _covered("condition_occurrence", name, "condition", same_concept=True)
    if name == "drug_era":
        yield _apart(name, "person_id, drug_concept_id", _ERA_GAP_DAYS)
        yield _covered("drug_exposure", name, "drug", same_concept=False)
    if name in _WRITTEN_ONCE:
        yield _reconciled(name)
    if (name in OMOP_TABLES or of_images) and name not in _DERIVED:
        yield from _lineage(table)
    if name == "lineage":
        yield _collisions()
    if name == "etl_count":
        yield _accounted()
    if name == "implausible_value":
        yield from (_implausible(*line) for line in _IMPLAUSIBLE)


_IMPLAUSIBLE = (
    ("birth", "The birth date cannot be true; without another one the person stays out of the mart", 0.0, "Patient"),
    ("death", "The day of death cannot be true; it is unknown", 0.0, "Patient"),
    ("start", "The day of the event cannot be true; another date counts, or there is no row", 0.01, ""),
    ("end", "The end of the event cannot be true; it counts as open and stretches no period", 0.01, ""),
)


def _implausible(field: str, meaning: str, threshold: float, resource_type: str) -> QueryRule:
    """The share of resources with a value that the build set to unknown; reported with their keys, never blocking."""
    of_type = f"resource_type = '{resource_type}'" if resource_type else "resource_type <> 'Patient'"
    rows = f"FROM implausible_value WHERE field = '{field}'"
    return QueryRule(
        "isPlausibleDate",
        "plausibility",
        "field",
        "implausible_value",
        field,
        meaning,
        threshold=threshold,
        counts="SELECT greatest((SELECT coalesce(sum(rows), 0)::BIGINT FROM etl_count WHERE outcome = 'resources' "
        f"AND {of_type}), (SELECT count(*) {rows})), (SELECT count(*) {rows})",
        failing=f"SELECT resource_key, site, batch, file, row {rows}",
    )


def _persons(table: str) -> QueryRule:
    absent = f"WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE t.person_id = p.person_id)"
    return QueryRule(
        "measurePersonCompleteness",
        "completeness",
        "table",
        table,
        "",
        "A person has no row here" + ("" if table == "observation_period" else "; reported, never a failure"),
        threshold=0.05 if table == "observation_period" else 1.0,
        counts=f"SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM person AS p {absent})",
        failing=f"SELECT p.* FROM person AS p {absent}",
        by_person=True,
    )


def _apart(table: str, group: str, gap: int) -> QueryRule:
    start, end = SPANS[table]
    near = (
        f"{start} <= max({end}) OVER (PARTITION BY {group} ORDER BY {start}, {end}, {table}_id "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + {gap}"
    )
    return QueryRule(
        "isApart",
        "conformance",
        "table",
        table,
        "",
        f"It begins within {gap} days of the one before it, so both should be one" if gap else "Two periods overlap",
        blocking=True,
        counts=f"SELECT count(*), count_if(near) FROM (SELECT {near} AS near FROM {table})",
        failing=f"SELECT * FROM {table} QUALIFY {near}",
        by_person=True,
    )


def _covered(events: str, eras: str, word: str, *, same_concept: bool) -> QueryRule:
    """A drug's era is its ingredient's, so there only person and day can be compared."""
    start, end = SPANS[eras]
    day = SPANS[events][0]
    concept = f" AND e.{word}_concept_id = t.{word}_concept_id" if same_concept else ""
    known = f"t.{word}_concept_id <> 0"
    missing = (
        f"{known} AND NOT EXISTS (SELECT 1 FROM {eras} AS e WHERE e.person_id = t.person_id{concept} "
        f"AND t.{day} >= e.{start} AND t.{day} <= e.{end})"
    )
    return QueryRule(
        "isCoveredByEra",
        "conformance",
        "table",
        eras,
        "",
        f"A row of {events} lies in no era of its person",
        blocking=True,
        counts=f"SELECT (SELECT count(*) FROM {events} AS t WHERE {known}), "
        f"(SELECT count(*) FROM {events} AS t WHERE {missing})",
        failing=f"SELECT t.* FROM {events} AS t WHERE {missing}",
        by_person=True,
    )


def _reconciled(table: str) -> QueryRule:
    both = (
        f"SELECT '{table}' AS table_name, (SELECT count(*) FROM {table}) AS in_table, "
        "(SELECT coalesce(sum(CASE outcome WHEN 'written' THEN rows WHEN 'dropped' THEN -rows END), 0)::BIGINT "
        f"FROM etl_count WHERE table_name = '{table}') AS written"
    )
    return QueryRule(
        "isReconciled",
        "conformance",
        "table",
        table,
        "",
        "The table does not hold as many rows as the build says it wrote",
        blocking=True,
        counts=f"SELECT greatest(in_table, written), abs(in_table - written) FROM ({both})",
        failing=f"SELECT * FROM ({both}) WHERE in_table <> written",
    )


def _lineage(table: Table) -> Iterator[QueryRule]:
    name, key = table.name, table.key[0]
    of_table = f"SELECT * FROM lineage WHERE table_name = '{name}'"
    lost = f"WHERE NOT EXISTS (SELECT 1 FROM ({of_table}) AS l WHERE l.row_id = t.{key})"
    rows = f"(SELECT count(*) FROM {name})"
    of_rows = f"(SELECT sum(hash({key})) FROM {name})"
    of_lineage = f"FROM _lineage WHERE table_name = '{name}'"
    same = (
        f"{rows} = coalesce((SELECT rows {of_lineage}), 0) "
        f"AND {of_rows} IS NOT DISTINCT FROM (SELECT hashes {of_lineage})"
    )
    yield QueryRule(
        "hasLineage",
        "completeness",
        "table",
        name,
        "",
        "Nothing leads from the row to the resource it came from",
        blocking=name in EVENT_TABLES,
        counts=f"SELECT (SELECT count(*) FROM {name}), (SELECT count(*) FROM {name} AS t {lost})",
        failing=f"SELECT t.* FROM {name} AS t {lost}",
        quick=f"SELECT {rows}, {same}",
    )
    gone = f"WHERE NOT EXISTS (SELECT 1 FROM {name} AS t WHERE t.{key} = l.row_id)"
    yield QueryRule(
        "lineageLeadsToRow",
        "conformance",
        "table",
        name,
        "",
        "Lineage tells of a row that is not there",
        blocking=name in EVENT_TABLES,
        counts=f"SELECT (SELECT count(*) FROM ({of_table})), (SELECT count(*) FROM ({of_table}) AS l {gone})",
        failing=f"SELECT l.row_id, l.* EXCLUDE (row_id) FROM ({of_table}) AS l {gone}",
        quick=f"SELECT {rows}, {same}",
    )


def _collisions() -> QueryRule:
    resources = (
        "SELECT resource_key, min(hash(site, resource_type)) <> max(hash(site, resource_type)) AS collides "
        "FROM lineage GROUP BY resource_key"
    )
    return QueryRule(
        "isKeyOfOneResource",
        "conformance",
        "field",
        "lineage",
        "resource_key",
        "Two resources of different sites or types share a key",
        blocking=True,
        counts=f"SELECT count(*), count_if(collides) FROM ({resources})",
        failing=f"SELECT resource_key FROM ({resources}) WHERE collides",
    )


def _accounted() -> QueryRule:
    """A resource is mapped, superseded by a later version, or left out for a reason; ``part: …`` counts its parts."""
    files = (
        "SELECT file, site, batch, coalesce(sum(rows) FILTER (outcome = 'resources'), 0) AS landed, "
        "coalesce(sum(rows) FILTER (table_name = '' AND outcome NOT IN ('resources', 'unresolved-reference') "
        "AND NOT starts_with(outcome, 'part: ')), 0) AS accounted FROM etl_count GROUP BY ALL"
    )
    return QueryRule(
        "isEveryResourceAccounted",
        "completeness",
        "table",
        "etl_count",
        "",
        "Of a landed file, some resources are neither mapped, nor superseded, nor left out for a reason",
        blocking=True,
        counts=f"SELECT count(*), count_if(landed <> accounted) FROM ({files})",
        failing=f"SELECT * FROM ({files}) WHERE landed <> accounted",
    )
