"""`xinglin mart check`: is the mart whole, does it keep its contracts, can it be true?

The rules follow OHDSI's DataQualityDashboard (https://github.com/OHDSI/DataQualityDashboard; Kahn et al. 2016, doi
10.13063/2327-9214.1244): conformance, completeness, plausibility. They are generated from the contracts, so a new
column is checked from the day it is declared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.core.clock import Clock, system_clock
from xinglin.core.settings import Settings
from xinglin.lake import Lake, connect
from xinglin.mart.checks.codes import code_rules
from xinglin.mart.checks.concepts import concept_rules
from xinglin.mart.checks.dates import date_rules
from xinglin.mart.checks.fields import field_rules
from xinglin.mart.checks.numbers import number_rules
from xinglin.mart.checks.report import CheckReport
from xinglin.mart.checks.rule import Rule
from xinglin.mart.checks.scan import Examiner
from xinglin.mart.checks.wholes import whole_rules

__all__ = ["CheckReport", "check_mart", "rules"]


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
    progress: Callable[[int, int], None] | None = None,
    clock: Clock = system_clock,
) -> CheckReport:
    """Check the mart that was published last.

    Args:
        lake: Where it lies.
        settings: Memory and threads that may be used.
        progress: Told how many of how many steps are done.
        clock: What day it is, for dates in the future.

    Returns:
        What came of every rule; `CheckReport.require` raises when a blocking one failed.

    Raises:
        NotFound: No mart was built yet.
    """
    began = time.perf_counter()
    mart = lake.require("mart", "run: xinglin mart build")
    with TemporaryDirectory(prefix="xinglin-check-") as temp:
        connection = connect(settings.memory_mb, settings.workers, Path(temp))
        connection.execute("SET preserve_insertion_order = false")
        examiner = Examiner(connection)
        examiner.open(mart, TABLES)
        examiner.open(lake.snapshot("vocabulary"), VOCABULARY_TABLES)
        results = examiner.run(rules(clock().date()), progress or (lambda done, total: None))
        connection.close()
    return CheckReport(mart.version, tuple(results), time.perf_counter() - began)
