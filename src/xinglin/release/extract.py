"""One extract: the question, asked of de-identified views; its small cells; its risk; the file, or a refusal."""

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
from xinglin.release.question import Question, understand
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
    """What is asked for.

    Args:
        question: One SELECT over OMOP tables.
        project: For whom; other projects get other pseudonyms.
        rules: How strictly views are made and cells suppressed.
        quasi: Quasi-identifiers among the result's columns; found by their names when not given.
        sensitive: The sensitive column; found by its name when not given.
        most_risk: The highest risk of one person that is let through, 0 to 1.
        accepted: Why a higher risk is let through; None where it is not.
        dates: How exactly an adversary knows the dates: ``day``, ``month`` or ``year``; None where not at
            all, since they are shifted.
        drop_risky: Leave out persons whose risk is higher, instead of refusing.
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
    """A table that may leave, and what is told beside it.

    Args:
        table: The rows.
        kind: ``rows`` about persons, ``cells`` over persons, or ``public``.
        risk: Of rows about persons.
        suppressed: Of cells: how many were suppressed.
        rows_left_out: Of cells: rows left out wholly.
        smallest_cell: Of cells: fewest persons behind one that leaves.
        persons_dropped: Of rows: persons left out because of their risk.
        refused: Why the table may not leave; None where it may.
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
    """Ask the de-identified mart.

    Args:
        lake: Where the published mart is.
        settings: Of the region; the keys lie where they say.
        request: What is asked for.

    Returns:
        The extract; where `Extract.refused` is set, the table must not leave.

    Raises:
        UsageError: The question asks for what cannot leave.
        NotFound: No mart was built yet.
    """
    mart = lake.require("mart", "run: xinglin run")
    _check(request)
    with _connection(settings) as connection:
        asked = understand(connection, request.question, RELEASED)
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
        raise UsageError("a risk is more than 0 and at most 1", source=str(request.most_risk))
    if request.rules.smallest < 2 or request.rules.band < 1:
        raise UsageError("a cell stands for at least 2 persons and a band for at least 1 year", source="the rules")
    if request.dates not in {None, "day", "month", "year"}:
        raise UsageError("dates are known to the day, month or year", source=str(request.dates))
    if not request.project.strip():
        raise UsageError("an extract is made for a project", remedy="name it: --project NAME")
    if request.accepted is not None and len(request.accepted.strip()) < 3:
        raise UsageError("a higher risk is accepted for a reason", remedy='say it: --accept-risk "why"')


@contextmanager
def _connection(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(settings.memory_mb, settings.workers, settings.home / "tmp")
    try:
        yield connection
    finally:
        connection.close()


def _ask(connection: duckdb.DuckDBPyConnection, asked: Question) -> None:
    """Run the question into ``xinglin_result``."""
    import duckdb

    # Error texts of the binder quote the question; those of the execution could quote a value.
    try:
        connection.execute(
            "CREATE TEMP TABLE xinglin_result AS SELECT *, row_number() OVER () AS xinglin_row_number"
            f" FROM ({asked.sql})"
        )
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        text = str(error).strip().split("\n")[0]
        raise UsageError(
            f"the question does not fit the tables as they leave the region: {text}",
            source="your SQL",
            remedy="every SELECT that aggregates must see person_id; free text, names and days of birth are not there",
        ) from None
    except duckdb.Error as error:
        raise UsageError(
            f"the question could not be answered ({type(error).__name__})",
            source="your SQL",
            remedy="look at its casts",
        ) from None


def _table(connection: duckdb.DuckDBPyConnection, where: str = "") -> pa.Table:
    sql = f"SELECT * EXCLUDE (xinglin_row_number) FROM xinglin_result {where} ORDER BY xinglin_row_number"
    return connection.sql(sql).to_arrow_table()


def _cells(connection: duckdb.DuckDBPyConnection, asked: Question, smallest: int) -> Extract:
    import pyarrow as pa

    table = _table(connection)
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    told: Suppressed = suppress(rows, asked.counters, smallest)
    fields = [table.schema.field(number).with_nullable(True) for number in range(len(asked.counters))]
    columns = [pa.array([row[number] for row in told.rows], one.type) for number, one in enumerate(fields)]
    return Extract(
        pa.Table.from_arrays(columns, schema=pa.schema(fields)),
        "cells",
        suppressed=told.cells,
        rows_left_out=told.left_out,
        smallest_cell=told.smallest,
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
            f"the smallest class has {risk.k} of {risk.persons} persons: a risk of {worst:.2f}, more than"
            f" {request.most_risk:.2f} is not let through"
        )
    return Extract(_table(connection), "rows", risk=risk, persons_dropped=dropped, refused=refused)


def _knowledge(connection: duckdb.DuckDBPyConnection, asked: Question, request: Request) -> Knowledge:
    """What an adversary is taken to know, by the names of the result's columns."""
    types = {row[0]: row[1] for row in connection.execute("DESCRIBE xinglin_result").fetchall()}
    columns = list(types)
    wanted = [*(request.quasi or ()), *((request.sensitive,) if request.sensitive else ())]
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise UsageError(
            "the result has no such column", source=", ".join(missing), remedy="name columns of the result"
        )
    quasi = request.quasi
    if quasi is None:
        quasi = tuple(name for name in columns if name.lower() in asked.quasi)
    moments = tuple(name for name, kind in types.items() if kind in {"DATE", "TIMESTAMP"}) if request.dates else ()
    quasi += tuple(name for name in moments if name not in quasi)
    person = next((name for name in columns if name.lower() in asked.persons), None)
    sensitive = request.sensitive or next((name for name in _SENSITIVE if name in columns and name not in quasi), None)
    everybody = {row[0] for row in connection.execute("DESCRIBE person").fetchall()}
    # Only columns that the question hands on under their own names can be looked up in the whole region.
    plain = bool(quasi) and set(quasi) <= everybody and asked.quasi.isdisjoint(set(columns) - everybody)
    population = f"SELECT {', '.join(quasi)} FROM person" if plain else None
    return Knowledge(quasi, person, sensitive, population, moments=moments, dates=request.dates or "day")


def refusal(extract: Extract, where: str) -> ReleaseRefused:
    """The error of an extract that may not leave."""
    return ReleaseRefused(
        extract.refused or "",
        source=where,
        remedy="take fewer or coarser quasi-identifiers (--birth-years 5), leave risky persons out (--drop-risky),"
        ' or say why it is let through (--accept-risk "…")',
    )
