"""What the checks found, as a table, as JSON and as a list of failing rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from xinglin.core.errors import QualityFailed
from xinglin.core.waiver import Waiver
from xinglin.mart.checks.rule import CheckResult

__all__ = ["CheckReport"]


@dataclass(frozen=True)
class CheckReport:
    """The results of all checks on one snapshot of the mart.

    Args:
        version: The snapshot's version.
        results: In the order of tables, then fields.
        seconds: How long it took.
    """

    version: int
    results: tuple[CheckResult, ...]
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """What failed or could not be run."""
        return tuple(result for result in self.results if result.status in {"failed", "error"})

    @property
    def blocking(self) -> tuple[str, ...]:
        """Names of the blocking checks that failed or could not be run."""
        return tuple(result.name for result in self.results if result.blocks)

    def require(self) -> None:
        """Stop here when a blocking check failed.

        Raises:
            QualityFailed: It names the checks.
        """
        if self.blocking:
            raise QualityFailed(
                f"{len(self.blocking)} blocking quality checks failed: {', '.join(self.blocking)}",
                source="mart",
                remedy="run: xinglin mart check --explain",
            )

    def summary(self) -> dict[str, int]:
        """How many checks there were, by outcome.

        Example:
            >>> CheckReport(1, ()).summary()
            {'checks': 0, 'passed': 0, 'failed': 0, 'waived': 0, 'not applicable': 0, 'error': 0, 'blocking': 0}
        """
        counts = Counter(result.status for result in self.results)
        return {
            "checks": len(self.results),
            "passed": counts["passed"],
            "failed": counts["failed"],
            "waived": counts["waived"],
            "not applicable": counts["not applicable"],
            "error": counts["error"],
            "blocking": len(self.blocking),
        }

    def by_category(self) -> list[tuple[str, str, int, int]]:
        """Category, level, checks that could be run, checks that failed: one line each.

        Example:
            >>> CheckReport(1, ()).by_category()
            []
        """
        run: Counter[tuple[str, str]] = Counter()
        failed: Counter[tuple[str, str]] = Counter()
        for result in self.results:
            kind = (result.rule.category, result.rule.level)
            run[kind] += result.status != "not applicable"
            failed[kind] += result.status in {"failed", "error"}
        return [(*kind, run[kind], failed[kind]) for kind in sorted(run)]

    def table(self, *, everything: bool = False) -> tuple[list[str], list[list[str]]]:
        """Column names and rows for the terminal: what failed, blocking first, or everything.

        Args:
            everything: Show passed checks and those that do not apply too.

        Example:
            >>> CheckReport(1, ()).table()[0]
            ['status', 'check', 'failed', 'of', 'share', 'allowed', 'meaning']
        """
        shown = self.results if everything else [one for one in self.results if one.waiver or one in self.failed]
        ordered = sorted(shown, key=lambda result: (not result.blocks, result.status == "passed"))
        rows = [
            [
                f"{result.status}, blocks" if result.blocks else result.status,
                result.name,
                f"{result.rows_failed:,}",
                f"{result.rows_checked:,}",
                f"{result.share:.2%}",
                f"{result.rule.threshold:.2%}",
                _remark(result),
            ]
            for result in ordered
        ]
        return ["status", "check", "failed", "of", "share", "allowed", "meaning"], rows

    def explanations(self, names: Collection[str] = ()) -> Iterator[str]:
        """What each failed or waived check means and which rows fail it, as text; never a value of a row.

        Args:
            names: Only the checks with these names; all failed and waived ones when empty.

        Example:
            >>> list(CheckReport(1, ()).explanations())
            []
        """
        for result in self.results:
            if result.name in names or (not names and (result.status == "waived" or result in self.failed)):
                yield _explanation(result)

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines; never a value of a row, only its key."""
        return {
            "version": self.version,
            "seconds": round(self.seconds, 3),
            "summary": self.summary(),
            "checks": [_json(result) for result in self.results],
        }

    def failing_csv(self) -> str:
        """The first failing rows of every failed check, one line each.

        Example:
            >>> CheckReport(1, ()).failing_csv()
            'check,category,level,table,field,blocking,row_id\\n'
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["check", "category", "level", "table", "field", "blocking", "row_id"])
        for result in self.failed:
            rule = result.rule
            for row_id in result.row_ids or ("",):
                line = [
                    rule.name,
                    rule.category,
                    rule.level,
                    rule.table,
                    rule.field,
                    str(rule.blocking).lower(),
                    row_id,
                ]
                writer.writerow(line)
        return text.getvalue()


def _remark(result: CheckResult) -> str:
    waiver = result.waiver
    if waiver is None:
        return result.detail or result.rule.meaning
    terms = f"up to {waiver.threshold:.2%} until {waiver.until} by {waiver.by}: {waiver.why}"
    if result.rule.blocking:
        return f"{result.rule.meaning}; a check that blocks cannot be waived ({terms})"
    if result.status == "failed":
        return f"{result.rule.meaning}; the waiver is exceeded or has expired ({terms})"
    return f"{result.rule.meaning}; waived {terms}"


def _explanation(result: CheckResult) -> str:
    rule = result.rule
    effect = "It blocks: `xinglin run` ends with 1." if rule.blocking else "It does not block: the mart can be used."
    rows = ", ".join(result.row_ids) or "none to show"
    more = " (first)" if result.rows_failed > len(result.row_ids) else ""
    lines = [
        f"{result.name}: {result.status}",
        f"  {_remark(result)}.",
        f"  {result.rows_failed:,} of {result.rows_checked:,} rows, {result.share:.2%}; allowed {rule.threshold:.2%}.",
        f"  {effect}",
        f"  Keys of the rows{more}: {rows}",
        f"  All rows: {result.sql}" if result.sql else "",
    ]
    return "\n".join(line for line in lines if line)


def _json(result: CheckResult) -> dict[str, Any]:
    rule = result.rule
    return {
        "check": rule.name,
        "category": rule.category,
        "level": rule.level,
        "table": rule.table,
        "field": rule.field,
        "threshold": rule.threshold,
        "rows_checked": result.rows_checked,
        "rows_failed": result.rows_failed,
        "share": round(result.share, 6),
        "status": result.status,
        "blocking": rule.blocking,
        "meaning": rule.meaning,
        "detail": result.detail,
        "sql": result.sql,
        "row_ids": list(result.row_ids),
        "waiver": _terms(result.waiver) if result.waiver else None,
    }


def _terms(waiver: Waiver) -> dict[str, Any]:
    return {"threshold": waiver.threshold, "by": waiver.by, "until": waiver.until.isoformat(), "why": waiver.why}
