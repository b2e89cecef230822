"""How checking is shared out: rules about rows and persons by buckets, the others by table; counts are summed.

What a task finds depends on the snapshot alone, and so does how the work is cut, so every runner gives the same report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.lake import DataFile, Lake, Snapshot, connect
from xinglin.mart.checks.joins import JOINS
from xinglin.mart.checks.rule import (
    CheckResult,
    CodeRule,
    ConceptRule,
    QueryRule,
    Rule,
    ScanRule,
    judge,
)
from xinglin.mart.checks.scan import Examiner

__all__ = ["CheckTask", "RowsTask", "check_tasks", "combined", "examine", "failing_keys", "rows_tasks"]

PART_ROWS = 2_000_000
"""Rows of one part: enough that planning a scan of hundreds of rules costs little beside running it."""
_ALL = {**TABLES, **VOCABULARY_TABLES}
_CROSSING = {
    "visit": "visit_occurrence",
    "preceding": "visit_occurrence",
    "charged": "visit_occurrence",
    "visit_detail": "visit_detail",
    "preceding_detail": "visit_detail",
    "parent_detail": "visit_detail",
    "procedure": "procedure_occurrence",
    "image": "image_occurrence",
}
"""Joins whose table lies in buckets, though a row may point at another bucket's."""
Tables = Mapping[str, tuple[DataFile, ...]]


@dataclass(frozen=True)
class CheckTask:
    """Some rules on some buckets.

    Args:
        lake: Where the files lie.
        rules: The rules.
        tables: The files to look at, of every published table that the rules speak of.
        published: Names of all published tables.
        elsewhere: The files of all buckets of the tables that rows are joined with; empty where all are looked at.
        memory_mb: Memory of this task.
    """

    lake: Lake
    rules: tuple[Rule, ...]
    tables: Tables
    published: frozenset[str]
    elsewhere: Tables
    memory_mb: int


@dataclass(frozen=True)
class RowsTask:
    """Failed results of one table whose first failing rows are wanted; see `CheckTask`."""

    lake: Lake
    results: tuple[CheckResult, ...]
    tables: Tables
    published: frozenset[str]
    memory_mb: int


def check_tasks(
    lake: Lake, mart: Snapshot, vocabulary: Snapshot | None, every: Sequence[Rule], memory_mb: int
) -> list[CheckTask]:
    """Cut the work, the largest tasks first.

    Args:
        lake: Where the files lie.
        mart: The snapshot to check.
        vocabulary: The vocabulary's snapshot.
        every: The rules.
        memory_mb: Memory of one task.
    """
    shown = _shown(mart, vocabulary)
    shared = [rule for rule in every if _by_bucket(rule)]
    parts = _parts(mart)
    crossing = {name: shown[name] for name in _CROSSING.values() if name in shown} if len(parts) > 1 else {}
    tasks = []
    for buckets in parts:
        seen = {
            name: tuple(file for file in files if file.bucket is None or file.bucket in buckets)
            for name, files in shown.items()
        }
        tasks.append(_task(lake, shared, seen, crossing, memory_mb))
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in every:
        if not _by_bucket(rule):
            groups.setdefault(_group(rule, mart), []).append(rule)
    return tasks + [_task(lake, groups[name], shown, {}, memory_mb) for name in sorted(groups)]


def examine(task: CheckTask) -> list[CheckResult]:
    """What a task's rules find."""
    with _examiner(task.lake, task.tables, task.published, task.memory_mb) as examiner:
        examiner.elsewhere = {
            join: (name, task.lake.paths(_ALL[name], [file.path for file in task.elsewhere[name]]))
            for join, name in _CROSSING.items()
            if name in task.elsewhere
        }
        return examiner.run(task.rules)


def combined(every: Sequence[Rule], found: Iterable[Sequence[CheckResult]]) -> list[CheckResult]:
    """One result for each rule, in the order of the rules.

    Args:
        every: The rules.
        found: What `examine` gave.
    """
    by_rule: dict[Rule, list[CheckResult]] = {}
    for results in found:
        for result in results:
            by_rule.setdefault(result.rule, []).append(result)
    return [_summed(by_rule[rule]) for rule in every]


def rows_tasks(
    lake: Lake, mart: Snapshot, vocabulary: Snapshot | None, results: Sequence[CheckResult], memory_mb: int
) -> list[RowsTask]:
    """The tasks that look for the rows of failed results, one a table."""
    shown = _shown(mart, vocabulary)
    tables: dict[str, list[CheckResult]] = {}
    for result in results:
        if result.status == "failed" and result.sql:
            tables.setdefault(result.rule.table, []).append(result)
    return [
        RowsTask(lake, tuple(some), _named([one.sql for one in some], shown), frozenset(shown), memory_mb)
        for some in tables.values()
    ]


def failing_keys(task: RowsTask) -> list[CheckResult]:
    """The results with the keys of their first failing rows."""
    with _examiner(task.lake, task.tables, task.published, task.memory_mb) as examiner:
        return [examiner.with_rows(result) for result in task.results]


@contextmanager
def _examiner(lake: Lake, tables: Tables, published: frozenset[str], memory_mb: int) -> Iterator[Examiner]:
    """The tables of a task under examination; closed when the block ends."""
    with TemporaryDirectory(prefix="xinglin-check-") as temp, connect(memory_mb, 1, Path(temp)) as connection:
        connection.execute("SET preserve_insertion_order = false")
        examiner = Examiner(connection)
        for name, table in _ALL.items():
            files = tables.get(name, ())
            paths = lake.paths(table, [file.path for file in files])
            examiner.show(table, paths, sum(file.rows for file in files), published=name in published)
        yield examiner


def _shown(mart: Snapshot, vocabulary: Snapshot | None) -> Tables:
    """Every published table and its files."""
    found = {name: tuple(mart.tables[name]) for name in TABLES if name in mart.tables}
    if vocabulary:
        found |= {name: tuple(vocabulary.tables[name]) for name in VOCABULARY_TABLES if name in vocabulary.tables}
    return found


def _parts(mart: Snapshot) -> list[frozenset[int]]:
    """Neighbouring buckets, together until they have `PART_ROWS`; one part at least."""
    rows: dict[int, int] = {}
    for name, table in TABLES.items():
        for file in mart.tables.get(name, ()) if table.bucketed else ():
            rows[file.bucket or 0] = rows.get(file.bucket or 0, 0) + file.rows
    parts: list[set[int]] = [set()]
    room = PART_ROWS
    for bucket in sorted(rows):
        if room <= 0:
            parts.append(set())
            room = PART_ROWS
        parts[-1].add(bucket)
        room -= rows[bucket]
    return [frozenset(part) for part in parts]


def _by_bucket(rule: Rule) -> bool:
    """Whether what it counts in each bucket can be summed."""
    if not TABLES[rule.table].bucketed:
        return False
    return isinstance(rule, ScanRule | ConceptRule | CodeRule) or (isinstance(rule, QueryRule) and rule.by_person)


def _group(rule: Rule, mart: Snapshot) -> tuple[str, str]:
    """Which other rules it shares a task with: those about lineage one, the keys of a large table one of its own."""
    if "ineage" in rule.name:
        return "lineage", ""
    large = rule.table in mart.tables and mart.rows(rule.table) > PART_ROWS
    if rule.name == "isPrimaryKey":
        return "keys", rule.table if large else ""
    return "other", ""


def _task(lake: Lake, some: Sequence[Rule], shown: Tables, crossing: Tables, memory_mb: int) -> CheckTask:
    joins = {name for rule in some if isinstance(rule, ScanRule) for name in rule.joins}
    texts = [*map(repr, some), *(JOINS[name][0] for name in joins)]
    if any(isinstance(rule, ConceptRule) for rule in some):
        texts.append("concept")
    tables = _named(texts, shown)
    elsewhere = {name: crossing[name] for name in crossing if name in tables}
    return CheckTask(lake, tuple(some), tables, frozenset(shown), elsewhere, memory_mb)


def _named(texts: Sequence[str], shown: Tables) -> Tables:
    """The tables that some SQL speaks of."""
    words = set(re.findall(r"\w+", " ".join(texts)))
    if "_lineage" in words:
        words.add("lineage")
    return {name: files for name, files in shown.items() if name in words}


def _summed(results: Sequence[CheckResult]) -> CheckResult:
    """One rule's result from its parts: counts add up, and an error anywhere is the rule's."""
    if len(results) == 1:
        return results[0]
    first = next((result for result in results if result.status == "error"), results[0])
    checked = sum(result.rows_checked for result in results)
    if first.status == "error" or not checked:
        return first
    return judge(first.rule, checked, sum(result.rows_failed for result in results), first.sql)
