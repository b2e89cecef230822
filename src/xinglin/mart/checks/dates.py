"""Rules about time: order, life, the future, the visit, the observation period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from xinglin.contracts.mart import EVENT_DATES
from xinglin.contracts.model import Table
from xinglin.mart.checks.rule import ScanRule

__all__ = ["SPANS", "date_rules"]

SPANS = {
    **{name: span for name, span in EVENT_DATES.items() if span[0] != span[1]},
    "observation_period": ("observation_period_start_date", "observation_period_end_date"),
    "condition_era": ("condition_era_start_date", "condition_era_end_date"),
    "drug_era": ("drug_era_start_date", "drug_era_end_date"),
}
"""First and last day of everything that lasts."""

_DERIVED = ("observation_period", "condition_era", "drug_era")
_DAYS_AFTER_DEATH = 60
_DAYS_AROUND_VISIT = 7


def date_rules(table: Table, today: date) -> Iterator[ScanRule]:
    """The rules about time that a table's columns call for.

    Args:
        table: The contract.
        today: Day after which nothing can have happened yet.

    Example:
        >>> from xinglin.contracts.mart import TABLES
        >>> {rule.name for rule in date_rules(TABLES["drug_era"], date(2026, 1, 1))} >= {"plausibleStartBeforeEnd"}
        True
    """
    for column in table.columns:
        if column.type == "DATE":
            yield from _single_day(table, column.name, today)
        partner = column.name.replace("_datetime", "_date")
        if column.type == "TIMESTAMP" and partner in table.column_names:
            yield _same_day(table.name, column.name, partner)
    if table.name in SPANS:
        yield _order(table.name, *SPANS[table.name])
    if table.name in EVENT_DATES:
        start = EVENT_DATES[table.name][0]
        yield _within_period(table.name, start)
        if table.name != "visit_occurrence":
            yield _within_visit(table.name, start)


def _single_day(table: Table, field: str, today: date) -> Iterator[ScanRule]:
    def rule(name: str, meaning: str, violation: str, known: str = "true", join: str = "") -> ScanRule:
        return ScanRule(
            name,
            "plausibility",
            "field",
            table.name,
            field,
            meaning,
            threshold=0.01,
            applies=f"t.{field} IS NOT NULL" + (f" AND {known}" if join else ""),
            violation=violation,
            joins=(join,) if join else (),
        )

    yield rule("plausibleYearLow", "Earlier than 1900", f"t.{field} < DATE '1900-01-01'")
    if "end_date" not in field:
        yield rule("plausibleNotInFuture", f"Later than {today}", f"t.{field} > DATE '{today}'")
    if "person_id" not in table.column_names:
        return
    yield rule(
        "plausibleAfterBirth",
        "Before the person was born",
        f"t.{field} < person.birth",
        "person.birth IS NOT NULL",
        "person",
    )
    if table.name != "death" and "end_date" not in field:
        yield rule(
            "plausibleBeforeDeath",
            f"More than {_DAYS_AFTER_DEATH} days after the person died",
            f"t.{field} > death.died + {_DAYS_AFTER_DEATH}",
            "death.died IS NOT NULL",
            "death",
        )


def _same_day(table: str, field: str, partner: str) -> ScanRule:
    return ScanRule(
        "isSameDay",
        "conformance",
        "field",
        table,
        field,
        f"More than a day away from {partner}; one day is what time zones account for",
        applies=f"t.{field} IS NOT NULL AND t.{partner} IS NOT NULL",
        violation=f"abs(date_diff('day', t.{field}::DATE, t.{partner})) > 1",
    )


def _order(table: str, start: str, end: str) -> ScanRule:
    derived = table in _DERIVED
    return ScanRule(
        "plausibleStartBeforeEnd",
        "plausibility",
        "field",
        table,
        start,
        f"It begins after {end}",
        threshold=0.0 if derived else 0.01,
        blocking=derived,
        applies=f"t.{start} IS NOT NULL AND t.{end} IS NOT NULL",
        violation=f"t.{start} > t.{end}",
    )


def _within_period(table: str, start: str) -> ScanRule:
    # An onset may lie before anybody observed the person; it is counted and fails nothing.
    told = table == "condition_occurrence"
    return ScanRule(
        "isWithinObservationPeriod",
        "conformance",
        "field",
        table,
        start,
        "The person's observation period does not cover it" + ("; reported, never a failure" if told else ""),
        threshold=1.0 if told else 0.0,
        blocking=not told,
        applies=f"t.{start} IS NOT NULL",
        violation=f"period.first_day IS NULL OR t.{start} NOT BETWEEN period.first_day AND period.last_day",
        joins=("period",),
    )


def _within_visit(table: str, start: str) -> ScanRule:
    return ScanRule(
        "withinVisitDates",
        "plausibility",
        "field",
        table,
        start,
        f"More than {_DAYS_AROUND_VISIT} days before or after its visit",
        threshold=0.05,
        applies=f"t.{start} IS NOT NULL AND visit.first_day IS NOT NULL",
        violation=f"t.{start} NOT BETWEEN visit.first_day - {_DAYS_AROUND_VISIT} "
        f"AND visit.last_day + {_DAYS_AROUND_VISIT}",
        joins=("visit",),
    )
