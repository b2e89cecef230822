"""`xinglin mart check`: is the mart whole, does it keep its contracts, can it be true?

The rules follow OHDSI's DataQualityDashboard (https://github.com/OHDSI/DataQualityDashboard; Kahn et al. 2016, doi
10.13063/2327-9214.1244): conformance, completeness, plausibility. They are generated from the contracts, so a new
column is checked from the day it is declared.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date

from xinglin.contracts.mart import TABLES
from xinglin.core.clock import Clock, system_clock
from xinglin.core.progress import Steps
from xinglin.core.settings import Settings
from xinglin.lake import Lake, LocalRunner, Runner
from xinglin.mart.checks.codes import code_rules
from xinglin.mart.checks.concepts import concept_rules
from xinglin.mart.checks.dates import date_rules
from xinglin.mart.checks.fields import field_rules
from xinglin.mart.checks.numbers import number_rules
from xinglin.mart.checks.report import CheckReport
from xinglin.mart.checks.rule import Rule
from xinglin.mart.checks.sharing import check_tasks, combined, examine, failing_keys, rows_tasks
from xinglin.mart.checks.wholes import whole_rules

__all__ = ["CheckReport", "check_mart", "rules"]

_LEAST_MB = 200


def rules(today: date) -> list[Rule]:
    """Every rule there is, in the order of tables.

    Args:
        today: Day after which nothing can have happened yet.

    Example:
        >>> len(rules(date(2026, 1, 1))) > 500
        True
    """
    found: list[Rule] = []
    for table in TABLES.values():
        sources: Iterable[Iterable[Rule]] = (
            field_rules(table),
            concept_rules(table),
            number_rules(table),
            date_rules(table, today),
            code_rules(table.name),
            whole_rules(table),
        )
        found += [rule for source in sources for rule in source]
    return found


def check_mart(
    lake: Lake,
    settings: Settings,
    *,
    progress: Steps | None = None,
    clock: Clock = system_clock,
    runner: Runner | None = None,
) -> CheckReport:
    """Check the mart that was published last.

    Args:
        lake: Where it lies.
        settings: Memory and threads that may be used.
        progress: Told how many of how many steps are done.
        clock: What day it is, for dates in the future.
        runner: Where the tasks happen; this machine's cores when not given.

    Returns:
        What came of every rule; `CheckReport.require` raises when a blocking one failed.

    Raises:
        NotFound: No mart was built yet.
    """
    began = time.perf_counter()
    mart, vocabulary = lake.require("mart", "run: xinglin mart build"), lake.snapshot("vocabulary")
    runner = runner or LocalRunner(settings.workers)
    today = clock().date()
    every, memory = rules(today), max(settings.memory_mb // settings.workers, _LEAST_MB)
    tasks = check_tasks(lake, mart, vocabulary, every, memory)
    # The rows of what failed are looked for in a last step, whose tasks nobody knows before.
    done, total = 0, len(tasks) + 1

    def step(_: object = None) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    results = combined(every, runner.map(examine, tasks, step))
    failed = runner.map(failing_keys, rows_tasks(lake, mart, vocabulary, results, memory))
    with_rows = {result.rule: result for some in failed for result in some}
    step()
    waivers = {waiver.check: waiver for waiver in settings.waivers}
    found = tuple(with_rows.get(result.rule, result).under(waivers, today) for result in results)
    return CheckReport(mart.version, found, time.perf_counter() - began)
