"""What a rule is, and what came of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from xinglin.core.waiver import Waiver

__all__ = [
    "Category",
    "CheckResult",
    "CodeRule",
    "ConceptRule",
    "Level",
    "QueryRule",
    "Rule",
    "ScanRule",
    "SchemaRule",
    "Status",
    "judge",
]

Category = Literal["conformance", "completeness", "plausibility"]
Level = Literal["table", "field", "concept"]
Status = Literal["passed", "failed", "waived", "not applicable", "error"]


@dataclass(frozen=True)
class Rule:
    """One quality rule; names follow OHDSI's DataQualityDashboard where it has the same one.

    Args:
        name: Name of the kind of rule.
        category: After Kahn et al. 2016 (doi 10.13063/2327-9214.1244).
        level: What it speaks about.
        table: Table of the mart.
        field: Column, or empty; at concept level the column and the code.
        meaning: One sentence that says what a failing row means.
        threshold: Largest share of failing rows (0 to 1) at which it passes.
        blocking: Whether failing stops what comes after.
    """

    name: str
    category: Category
    level: Level
    table: str
    field: str
    meaning: str
    threshold: float = 0.0
    blocking: bool = False

    @property
    def full_name(self) -> str:
        """Name, table and field in one word."""
        return ".".join(part for part in (self.name, self.table, self.field) if part)


@dataclass(frozen=True)
class SchemaRule(Rule):
    """A rule about the table's or column's existence and type; there are no rows to look at.

    Args:
        expected: DuckDB type of the column; empty where only existence counts.
    """

    expected: str = ""


@dataclass(frozen=True)
class ScanRule(Rule):
    """A rule about single rows; all those of a table are counted in one scan of it.

    Args:
        violation: SQL condition over ``t`` (the table) and the joins; true for a failing row.
        applies: SQL condition that is true for the rows the rule speaks about.
        joins: Further tables it looks at, keys of `joins.JOINS`.
    """

    violation: str = "false"
    applies: str = "true"
    joins: tuple[str, ...] = ()


@dataclass(frozen=True)
class CodeRule(Rule):
    """A rule about the values or units of one code; all of a table's codes are counted in one grouping.

    Args:
        code: Code as the site wrote it.
        units: Units the rule knows for it, in all spellings.
        low: Smallest value that can be, in those units; None where the rule is about the unit itself.
        high: Largest value that can be.
    """

    code: str = ""
    units: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ConceptRule(Rule):
    """A rule about the concepts that a column holds; every concept is looked up once, however many rows have it.

    Args:
        violation: SQL condition over ``c`` (concept, or NULLs) that is true for a failing concept.
    """

    violation: str = "false"


@dataclass(frozen=True)
class QueryRule(Rule):
    """A rule about more than one row or table at a time.

    Args:
        counts: SELECT of two numbers: rows checked and rows failed.
        failing: SELECT of the failing rows, the row's id first, over the public tables only.
        quick: SELECT of the rows checked and whether nothing can fail, which spares `counts`; may be empty.
        by_person: Whether it compares rows of one person only, so that buckets can be counted apart and summed.
    """

    counts: str = ""
    failing: str = ""
    quick: str = ""
    by_person: bool = False


@dataclass(frozen=True)
class CheckResult:
    """What came of one rule.

    Args:
        rule: The rule.
        status: error means that the rule could not be run.
        rows_checked: Rows it speaks about.
        rows_failed: Rows that break it.
        sql: A SELECT of the failing rows for `xinglin sql`; empty where there are no rows to show.
        row_ids: The first failing rows' keys.
        detail: Why it could not be run or does not apply; empty otherwise.
        waiver: The waiver of the check, in force or not; None where it has none.
    """

    rule: Rule
    status: Status
    rows_checked: int = 0
    rows_failed: int = 0
    sql: str = ""
    row_ids: tuple[str, ...] = ()
    detail: str = ""
    waiver: Waiver | None = None

    def under(self, waivers: Mapping[str, Waiver], today: date) -> CheckResult:
        """The result with its waiver: failed becomes waived below the waiver's threshold, unless the check blocks.

        Args:
            waivers: By name of the check.
            today: Day on which they must count.
        """
        waiver = waivers.get(self.name)
        if waiver is None:
            return self
        accepted = waiver.counts(today) and not self.rule.blocking and self.share <= waiver.threshold
        status: Status = "waived" if self.status == "failed" and accepted else self.status
        return replace(self, status=status, waiver=waiver)

    @property
    def share(self) -> float:
        """Failing rows as a share of the rows checked."""
        return self.rows_failed / self.rows_checked if self.rows_checked else 0.0

    @property
    def name(self) -> str:
        """Name, table and field in one word."""
        return self.rule.full_name

    @property
    def blocks(self) -> bool:
        """Whether it stops what comes after: a blocking rule that failed or could not be run."""
        return self.rule.blocking and self.status in {"failed", "error"}


def judge(rule: Rule, checked: int, failed: int, sql: str) -> CheckResult:
    """The result of a rule from its two counts.

    Example:
        >>> rule = Rule("isRequired", "completeness", "field", "person", "year_of_birth", "No year", threshold=0.1)
        >>> judge(rule, 100, 10, "SELECT 1").status, judge(rule, 100, 11, "SELECT 1").status
        ('passed', 'failed')
    """
    if checked == 0:
        return CheckResult(rule, "not applicable", sql=sql, detail="no rows to check")
    status: Status = "failed" if failed > rule.threshold * checked else "passed"
    return CheckResult(rule, status, checked, failed, sql)
