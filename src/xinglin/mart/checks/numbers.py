"""Rules about values that cannot be: impossible numbers, genders, days of a month."""

from __future__ import annotations

from collections.abc import Iterator

from xinglin.contracts.model import Table
from xinglin.mart.checks.rule import ScanRule

__all__ = ["number_rules"]

_ONE_OR_MORE = ("condition_occurrence_count", "drug_exposure_count")
_NOT_NEGATIVE = (
    "refills",
    "quantity",
    "days_supply",
    "gap_days",
    "total_charge",
    "total_cost",
    "total_paid",
    "paid_by_payer",
    "paid_by_patient",
    "paid_patient_copay",
    "paid_patient_coinsurance",
    "paid_patient_deductible",
    "paid_by_primary",
    "paid_ingredient_cost",
    "paid_dispensing_fee",
    "amount_allowed",
)
# Ends as in DataQualityDashboard's field checks for CDM 5.4.
_RANGES = {
    "year_of_birth": (1850, None, False),
    "month_of_birth": (1, 12, False),
    "day_of_birth": (1, 31, False),
    "refills": (None, 24, False),
    "days_supply": (None, 365, False),
    "quantity": (None, 1095, False),
    "latitude": (-90, 90, False),
    "longitude": (-180, 180, False),
}


def number_rules(table: Table) -> Iterator[ScanRule]:
    """The rules about numbers that a table's columns call for.

    Example:
        >>> from xinglin.contracts.mart import TABLES
        >>> [rule.field for rule in number_rules(TABLES["drug_era"])]
        ['drug_exposure_count', 'gap_days']
    """
    for column in table.columns:
        name = column.name
        low, high, blocking = _RANGES.get(name, (None, None, False))
        if name in _ONE_OR_MORE:
            low, blocking = 1, True
        elif name in _NOT_NEGATIVE:
            low = 0
        if low is not None:
            yield _limit(table.name, name, "plausibleValueLow", f"< {low}", blocking)
        if high is not None:
            yield _limit(table.name, name, "plausibleValueHigh", f"> {high}", blocking)
        if column.type == "DOUBLE":
            yield _rule(
                table.name, name, "isFinite", "The number is infinite or not a number", f"NOT isfinite(t.{name})"
            )
    if table.name in {"person", "provider"}:
        yield _gender(table.name)
    if table.name == "person":
        yield _birth_parts()
    if table.name == "measurement":
        yield _rule("measurement", "range_low", "isRangeOrdered", "The normal range is upside down", _UPSIDE_DOWN)


_UPSIDE_DOWN = "t.range_low > t.range_high"


def _limit(table: str, field: str, name: str, outside: str, blocking: bool) -> ScanRule:
    return ScanRule(
        name,
        "plausibility",
        "field",
        table,
        field,
        f"A value {outside} cannot be" if blocking else f"A value {outside} is hardly possible",
        threshold=0.0 if blocking else 0.01,
        blocking=blocking,
        applies=f"t.{field} IS NOT NULL",
        violation=f"t.{field} {outside}",
    )


def _rule(table: str, field: str, name: str, meaning: str, violation: str) -> ScanRule:
    return ScanRule(
        name,
        "conformance",
        "field",
        table,
        field,
        meaning,
        applies=f"t.{field} IS NOT NULL",
        violation=violation,
    )


def _gender(table: str) -> ScanRule:
    return ScanRule(
        "isGenderValue",
        "conformance",
        "field",
        table,
        "gender_concept_id",
        "The gender is none of 8507 (male), 8532 (female) and 0 (unknown)",
        blocking=True,
        applies="t.gender_concept_id IS NOT NULL",
        violation="t.gender_concept_id NOT IN (0, 8507, 8532)",
    )


def _birth_parts() -> ScanRule:
    return ScanRule(
        "isBirthConsistent",
        "conformance",
        "field",
        "person",
        "birth_datetime",
        "Year, month and day of birth contradict the moment of birth",
        applies="t.birth_datetime IS NOT NULL",
        violation="abs(date_diff('day', t.birth_datetime::DATE, try_cast(printf('%04d-%02d-%02d', t.year_of_birth, "
        "coalesce(t.month_of_birth, month(t.birth_datetime)), coalesce(t.day_of_birth, day(t.birth_datetime))) "
        "AS DATE))) > 1",
    )
