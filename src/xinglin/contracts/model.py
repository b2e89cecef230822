"""What a contract is: a table's grain, key, columns, zone and checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Check", "Column", "Table", "Zone"]

Zone = Literal["identified", "pseudonymous"]


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: The standard's own word.
        type: DuckDB type: BIGINT, INTEGER, DOUBLE, VARCHAR, DATE, TIMESTAMP, BOOLEAN or BLOB.
        meaning: One sentence for the data dictionary.
        required: Whether NULL is a contract violation.
        unit: Unit of a number, where it has one.
        references: ``table.column`` that the value must be found in, for foreign keys.
    """

    name: str
    type: str
    meaning: str
    required: bool = False
    unit: str = ""
    references: str = ""


@dataclass(frozen=True)
class Check:
    """One quality check, in the manner of OHDSI's DataQualityDashboard.

    Args:
        name: Short name, unique within the table.
        category: conformance, completeness or plausibility (Kahn et al. 2016).
        violation: SQL condition over the table that is true for a failing row.
        threshold: Largest share of failing rows (0 to 1) at which the check passes.
        blocking: Whether failing stops what comes after.
        meaning: One sentence that says what a failure means.
    """

    name: str
    category: Literal["conformance", "completeness", "plausibility"]
    violation: str
    threshold: float
    meaning: str
    blocking: bool = False


@dataclass(frozen=True)
class Table:
    """The contract of one table.

    Args:
        name: Table name.
        stage: The stage that writes it; also its folder in the lake.
        zone: Whether rows can name a person.
        grain: What one row is.
        key: Columns that identify a row.
        columns: In storage order.
        bucketed: Whether rows live in person buckets (partition column ``bucket``).
        checks: Quality checks.
    """

    name: str
    stage: str
    zone: Zone
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    bucketed: bool = False
    checks: tuple[Check, ...] = field(default=())

    def column(self, name: str) -> Column:
        """The column of that name (KeyError when there is none)."""
        return {column.name: column for column in self.columns}[name]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names, in storage order."""
        return tuple(column.name for column in self.columns)
