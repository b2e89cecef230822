"""Create one extract: query the de-identified views, suppress small cells, measure the risk, release or refuse."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xinglin.core.errors import ReleaseRefused, UsageError
from xinglin.lake import connect
from xinglin.release.cells import Suppressed, suppress
from xinglin.release.pseudonyms import Project, Salts, region_key
from xinglin.release.question import Question, analyse
from xinglin.release.risk import Knowledge, RiskReport, measure
from xinglin.release.treatment import RELEASED
from xinglin.release.views import Rules, make_views

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from xinglin.core.settings import Settings
    from xinglin.lake import Lake

__all__ = ["Extract", "Request", "make_extract"]

_SENSITIVE = ("condition_concept_id", "drug_concept_id", "procedure_concept_id", "measurement_concept_id",
              "observation_concept_id", "cause_concept_id", "condition_source_value", "drug_source_value")  # fmt: skip


@dataclass(frozen=True)
class Request:
    """Request for an extract.

    Args:
        question: One SELECT over OMOP tables.
        project: Name of the project; each project gets its own pseudonyms.
        rules: Parameters of the views and of suppression.
        quasi: Quasi-identifiers of the result; by default found by their names.
        sensitive: The sensitive column; by default found by its name.
        most_risk: Maximum risk of one person, 0 to 1.
        accepted: Reason for accepting a higher risk; None to refuse it.
        dates: Precision of dates known to an adversary: ``day``, ``month`` or ``year``; None if unknown, because
            dates are shifted.
        drop_risky: Drop persons with a higher risk instead of refusing.
    """

    question: str
    project: str
    rules: Rules
    quasi: tuple[str, ...] | None = None
    sensitive: str | None = None
    most_risk: float = 0.2
    accepted: str | None = None
    drop_risky: bool = False
    dates: str | None = None


@dataclass(frozen=True)
class Extract:
    """An extract with its report data.

    Args:
        table: The rows.
        kind: ``rows`` about persons, ``cells`` over persons, or ``public``.
        risk: For rows: the risk report.
        suppressed: For cells: number of suppressed cells.
        rows_left_out: For cells: number of removed rows.
        smallest_cell: For cells: fewest persons behind a released cell.
        persons_dropped: For rows: persons dropped because of their risk.
        refused: Why the table must not be released; None if it may.
    """

    table: pa.Table
    kind: str
    risk: RiskReport | None = None
    suppressed: int = 0
    rows_left_out: int = 0
    smallest_cell: int | None = None
    persons_dropped: int = 0
    refused: str | None = field(default=None)


def make_extract(lake: Lake, settings: Settings, request: Request) -> Extract:
    """Query the de-identified mart.

    Args:
        lake: The lake with the published mart.
        settings: Settings of the region, with the folder of keys.
        request: The request.

    Returns:
        The extract; if `Extract.refused` is set, the table must not be released.

    Raises:
        UsageError: The query uses something that must not leave the region.
        NotFound: No mart has been built.
    """
    mart = lake.require("mart", "run: xinglin run")
    _check(request)
    with _connection(settings) as connection:
        asked = analyse(connection, request.question, RELEASED)
        project = Project(region_key(settings.keys / "pseudonym.key"), request.project)
        secrets = (project, Salts(settings.keys / "person-salts"))
        snapshots = (mart, lake.snapshot("vocabulary"))
        allowed = make_views(connection, snapshots, asked.tables, asked.columns, secrets, request.rules)
        connection.execute("SET allowed_paths = ?", [allowed])
        connection.execute("SET enable_external_access = false")
        _ask(connection, asked)
        if asked.kind == "cells":
            return _cells(connection, asked, request.rules.smallest)
        if asked.kind == "public":
            return Extract(_table(connection), "public")
        return _rows(connection, asked, request)


def _check(request: Request) -> None:
    if not 0 < request.most_risk <= 1:
        raise UsageError("the maximum risk is out of range", source=str(request.most_risk), remedy="use 0 < risk <= 1")
    if request.rules.smallest < 2 or request.rules.band < 1:
        raise UsageError(
            "the smallest cell or the birth-year band width is too small",
            source="extract",
            remedy="use at least 2 persons and a birth-year band width of at least 1 year",
        )
    if request.dates not in {None, "day", "month", "year"}:
        raise UsageError(
            "the precision of dates is unknown", source=str(request.dates), remedy="use day, month or year"
        )
    if not request.project.strip():
        raise UsageError("no project given", remedy="add --project NAME")
    if request.accepted is not None and len(request.accepted.strip()) < 3:
        raise UsageError("no reason given for accepting the risk", remedy='add --accept-risk "reason"')


@contextmanager
def _connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(settings.memory_mb, settings.workers, settings.home / "tmp")
    try:
        yield connection
    finally:
        connection.close()


def _ask(connection: duckdb.DuckDBPyConnection, asked: Question) -> None:
    """Run the query into ``xinglin_result``."""
    import duckdb

    # Binder errors quote only the query; execution errors could quote a value.
    try:
        connection.execute(
            "CREATE TEMP TABLE xinglin_result AS SELECT *, row_number() OVER () AS xinglin_row_number"
            f" FROM ({asked.sql})"
        )
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        text = str(error).strip().split("\n")[0]
        raise UsageError(
            f"the query does not match the released tables: {text}",
            source="your SQL",
            remedy="keep person_id in every aggregating SELECT; free text, names and days of birth are not released",
        ) from None
    except duckdb.Error as error:
        raise UsageError(
            f"the query failed ({type(error).__name__})",
            source="your SQL",
            remedy="check its casts",
        ) from None


def _table(connection: duckdb.DuckDBPyConnection, where: str = "") -> pa.Table:
    sql = f"SELECT * EXCLUDE (xinglin_row_number) FROM xinglin_result {where} ORDER BY xinglin_row_number"
    return connection.sql(sql).to_arrow_table()


def _cells(connection: duckdb.DuckDBPyConnection, asked: Question, smallest: int) -> Extract:
    import pyarrow as pa

    table = _table(connection)
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    result: Suppressed = suppress(rows, asked.counters, smallest)
    fields = [table.schema.field(number).with_nullable(True) for number in range(len(asked.counters))]
    columns = [pa.array([row[number] for row in result.rows], one.type) for number, one in enumerate(fields)]
    return Extract(
        pa.Table.from_arrays(columns, schema=pa.schema(fields)),
        "cells",
        suppressed=result.cells,
        rows_left_out=result.left_out,
        smallest_cell=result.smallest,
    )


def _rows(connection: duckdb.DuckDBPyConnection, asked: Question, request: Request) -> Extract:
    smallest = max(2, math.ceil(1 / request.most_risk - 1e-9))
    known = replace(_knowledge(connection, asked, request), smallest=smallest)
    risk = measure(connection, "xinglin_result", known)
    dropped = 0
    if request.drop_risky and risk.prosecutor["worst"] > request.most_risk:
        dropped = risk.below
        who = f'"{known.person}"' if known.person else "xinglin_row_number"
        connection.execute(
            f"DELETE FROM xinglin_result WHERE {who} IN (SELECT member FROM xinglin_member JOIN xinglin_class"
            f" USING (class) WHERE size < {smallest})"
        )
        risk = measure(connection, "xinglin_result", known)
    worst = risk.prosecutor["worst"]
    refused = None
    if worst > request.most_risk and request.accepted is None:
        refused = (
            f"the smallest class has {risk.k} of {risk.persons} persons: the risk {worst:.2f} exceeds the maximum"
            f" {request.most_risk:.2f}"
        )
    return Extract(_table(connection), "rows", risk=risk, persons_dropped=dropped, refused=refused)


def _knowledge(connection: duckdb.DuckDBPyConnection, asked: Question, request: Request) -> Knowledge:
    """Presumed knowledge of an adversary, by the column names of the result."""
    types = {row[0]: row[1] for row in connection.execute("DESCRIBE xinglin_result").fetchall()}
    columns = list(types)
    wanted = [*(request.quasi or ()), *((request.sensitive,) if request.sensitive else ())]
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise UsageError("the result has no such column", source=", ".join(missing), remedy="use columns of the result")
    quasi = request.quasi
    if quasi is None:
        quasi = tuple(name for name in columns if name.lower() in asked.quasi)
    moments = tuple(name for name, kind in types.items() if kind in {"DATE", "TIMESTAMP"}) if request.dates else ()
    quasi += tuple(name for name in moments if name not in quasi)
    person = next((name for name in columns if name.lower() in asked.persons), None)
    sensitive = request.sensitive or next((name for name in _SENSITIVE if name in columns and name not in quasi), None)
    person_columns = {row[0] for row in connection.execute("DESCRIBE person").fetchall()}
    # Only columns that keep their names can be compared with the whole region.
    plain = bool(quasi) and set(quasi) <= person_columns and asked.quasi.isdisjoint(set(columns) - person_columns)
    population = f"SELECT {', '.join(quasi)} FROM person" if plain else None
    return Knowledge(quasi, person, sensitive, population, moments=moments, dates=request.dates or "day")


def refusal(extract: Extract, where: str) -> ReleaseRefused:
    """The error of a refused extract."""
    return ReleaseRefused(
        extract.refused or "",
        source=where,
        remedy="use fewer or coarser quasi-identifiers (--birth-years 5), drop risky persons (--drop-risky),"
        ' or accept the risk (--accept-risk "reason")',
    )
