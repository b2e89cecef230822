"""MAP: landed files become rows of OMOP tables, one small Parquet file per table and person bucket.

A unit of work is one large landed file, or several small ones that are planned and executed together. What it yields
depends only on what `Unit.fingerprint` is made of, so a unit whose fingerprint is unchanged is never read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.contracts.mart import TABLES
from xinglin.contracts.model import Table
from xinglin.core.sql import parquet_list, quote
from xinglin.lake import DataFile
from xinglin.landing import LandedFile
from xinglin.landing.current import current_resources
from xinglin.mart.meaning import digits_sql, guard_sql
from xinglin.mart.parts import PARTS
from xinglin.mart.queries import IMAGE_TYPES, PART_TYPES, query, schema
from xinglin.mart.session import Context, LookUps, create_table, open_session, read_parquet_sql, write_table

if TYPE_CHECKING:
    import duckdb

__all__ = ["SMALL", "MapTask", "Unit", "UnitOutput", "file_key", "map_unit", "table_named"]

SMALL = 10_000
"""A landed file with fewer rows is mapped together with others."""
_JUDGED_APART = {"Observation": "$.component[*]"}
"""Parts that become rows of their own: a modifier extension of one bars that part alone."""
_LEFT_OUT = {"Patient": "no-person", "Location": "no-address", "PractitionerRole": "no-practitioner"}

_COUNT_BARRED = (
    "SELECT source, barred, '', count(*) FROM parsed WHERE barred IS NOT NULL GROUP BY source, barred ORDER BY ALL"
)

Outcomes = dict[str, list[tuple[str, str, int]]]
"""(outcome, table, count) rows by `file_key`."""
Writes = list[tuple[str, str]]
"""Table and the SELECT of its rows."""


def file_key(file: LandedFile) -> str:
    """The name of a landed file among all landed files of the region."""
    return f"{file.site}/{file.batch:06d}/{file.name}"


@dataclass(frozen=True)
class Unit:
    """Landed files that are mapped together, and everything their outcome depends on.

    Args:
        key: Its name among all units.
        files: The landed files, by resource type: either all become events, or none does.
        look_ups: Parquet files of what they look up in other resources of their sites.
        fingerprint: Digest of everything the outcome depends on.
    """

    key: str
    files: tuple[LandedFile, ...]
    look_ups: LookUps
    fingerprint: str

    @property
    def is_large(self) -> bool:
        """Whether it is one large file."""
        return len(self.files) == 1 and self.files[0].rows >= SMALL


@dataclass(frozen=True)
class MapTask:
    """One unit with what it shares with the others."""

    unit: Unit
    context: Context


@dataclass(frozen=True)
class UnitOutput:
    """What one unit yielded: files by table, and the outcomes of each landed file."""

    key: str
    files: dict[str, list[DataFile]]
    outcomes: Outcomes


def table_named(name: str) -> Table:
    """The contract of a table of the mart or of an inner table.

    Example:
        >>> table_named("part_person").bucketed
        True
    """
    return TABLES.get(name) or PARTS[name]


def map_unit(task: MapTask) -> UnitOutput:
    """Turn landed files into table files; the same input gives the same bytes."""
    unit, context = task.unit, task.context
    outcomes: Outcomes = {file_key(file): _known_outcomes(file) for file in unit.files}
    with open_session(context, {}, unit.look_ups) as connection:
        _land(connection, unit, context)
        write = _parts if unit.files[0].resource_type in PART_TYPES else _events
        files: dict[str, list[DataFile]] = {}
        for name, select in write(connection, unit, outcomes):
            table = table_named(name)
            made = write_table(connection, table, select, context.scratch / unit.fingerprint)
            if made:
                files[name] = context.lake.adopt_all(table, made)
    return UnitOutput(unit.key, files, outcomes)


def _known_outcomes(file: LandedFile) -> list[tuple[str, str, int]]:
    gone = [("superseded", "", len(file.superseded))] if file.superseded else []
    return [("resources", "", file.rows), *gone]


def _land(connection: duckdb.DuckDBPyConnection, unit: Unit, context: Context) -> None:
    """Make ``landed_file``, the files of the unit, and ``landed``, their current resources with their persons."""
    columns = "source INTEGER, site VARCHAR, batch INTEGER, file VARCHAR, resource_type VARCHAR"
    rows = ", ".join(
        f"({number}, {quote(file.site)}, {file.batch}, {quote(file.name)}, {quote(file.resource_type)})"
        for number, file in enumerate(unit.files)
    )
    connection.execute(f"CREATE TEMP TABLE landed_file ({columns}); INSERT INTO landed_file VALUES {rows}")
    paths = parquet_list([str(file.path) for file in unit.files])
    known = read_parquet_sql([context.person_map], "")
    own = f"patient_key IN (SELECT patient_key FROM read_parquet({paths}))"
    create_table(connection, "person_of", f"SELECT patient_key, person_id FROM {known} WHERE {own}")
    # A large file is not copied; small ones are read by one plan.
    kind = "VIEW" if unit.is_large else "TABLE"
    connection.execute(
        f"CREATE TEMP {kind} landed AS SELECT l.* EXCLUDE (patient_key), p.person_id "
        f"FROM {current_resources(unit.files)} l LEFT JOIN person_of p USING (patient_key)"
    )


def _parse(connection: duckdb.DuckDBPyConnection, resource_type: str) -> None:
    """Parse every current resource of one type once, into the table ``parsed``."""
    guard = guard_sql("resource", "r", _JUDGED_APART.get(resource_type, ""))
    text = digits_sql("resource") if resource_type == "Observation" else "resource"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE parsed AS
        SELECT * EXCLUDE (resource), {guard} AS barred
        FROM (
            SELECT source, site, row, key AS resource_key, resource_id, person_id, resource,
                from_json({text}, {quote(schema(resource_type))}) AS r
            FROM landed WHERE kind = {quote(resource_type)}
        )"""
    )


def _events(connection: duckdb.DuckDBPyConnection, unit: Unit, outcomes: Outcomes) -> Writes:
    """Clinical resources: events, their concepts, the tables they go to."""
    kinds = sorted({file.resource_type for file in unit.files}, key=lambda kind: (kind in IMAGE_TYPES, kind))
    shape = _gather(connection, unit, kinds)
    create_table(connection, "concept", query("concept"))
    create_table(connection, "routed", query("routed"))
    # The type with images is parsed last.
    images = IMAGE_TYPES.get(kinds[-1])
    if images:
        create_table(connection, "part_image", query(images))
    connection.execute(f"DROP {shape} event; DROP TABLE parsed")
    _tell(connection, unit, query("outcome"), outcomes)
    targets = sorted({table for told in outcomes.values() for outcome, table, _ in told if outcome == "written"})
    writes = [(name, query(f"table/{name}")) for name in targets]
    has_parts = connection.execute("SELECT 1 FROM routed WHERE target = 'part_visit' LIMIT 1").fetchone()
    if has_parts:
        writes.append(("part_visit", query("table/part_visit")))
    if writes or images:
        writes += [("lineage", query("lineage/event")), ("part_unmapped", query("unmapped"))]
    if connection.execute("SELECT 1 FROM routed WHERE odd_start OR odd_end LIMIT 1").fetchone():
        writes.append(("implausible_value", query("implausible")))
    if images:
        _tell(connection, unit, query("image/outcome"), outcomes)
        writes.append(("part_image", "FROM part_image WHERE series_uid IS NOT NULL"))
    return writes


def _gather(connection: duckdb.DuckDBPyConnection, unit: Unit, kinds: Sequence[str]) -> str:
    """Make ``event`` of the unit's files, and say whether it is a TABLE or a VIEW; ``parsed`` is the last type's.

    A table is planned once, which counts for small files; a view is not copied, which counts for large ones. What a
    query does not name is NULL.
    """
    connection.execute("CREATE TEMP TABLE barred (source INTEGER, row BIGINT, barred VARCHAR)")
    add_barred = "INSERT INTO barred SELECT source, row, barred FROM parsed WHERE barred IS NOT NULL"
    if unit.is_large:
        _parse(connection, kinds[0])
        connection.execute(add_barred)
        named = f"SELECT * FROM ({query(f'event/{kinds[0]}')})"
        connection.execute(f"CREATE TEMP VIEW event AS FROM event_shape UNION ALL BY NAME {named}")
        return "VIEW"
    create_table(connection, "event", "FROM event_shape")
    for kind in kinds:
        _parse(connection, kind)
        connection.execute(add_barred)
        connection.execute(f"INSERT INTO event BY NAME ({query(f'event/{kind}')})")
    return "TABLE"


def _parts(connection: duckdb.DuckDBPyConnection, unit: Unit, outcomes: Outcomes) -> Writes:
    """Resources that describe persons, places and professionals."""
    written: list[str] = []
    for kind in sorted({file.resource_type for file in unit.files}):
        _parse(connection, kind)
        _tell(connection, unit, _COUNT_BARRED, outcomes)
        connection.execute("DELETE FROM parsed WHERE barred IS NOT NULL")
        lineage = (f"lineage/{kind}", "lineage")
        for name, table in (*PART_TYPES[kind], lineage):
            # Several types may tell of one table.
            into = f"INSERT INTO {table}" if table in written else f"CREATE TEMP TABLE {table} AS"
            connection.execute(f"{into} {query(name)}")
            written += [table] if table not in written else []
    _tell(connection, unit, query("part/outcome"), outcomes)
    for file in unit.files:
        told = outcomes[file_key(file)]
        accounted = sum(rows for outcome, table, rows in told if not table and outcome != "resources")
        left_out = file.rows - accounted
        if left_out:
            told.append((_LEFT_OUT[file.resource_type], "", left_out))
    return [(table, f"FROM {table}") for table in written if table != "lineage"] + [
        ("lineage", "FROM lineage ORDER BY bucket, table_name, row_id, resource_key")
    ]


def _tell(connection: duckdb.DuckDBPyConnection, unit: Unit, select: str, outcomes: Outcomes) -> None:
    """Add the outcomes that a query counts to those of each file."""
    for source, outcome, table, rows in connection.execute(select).fetchall():
        outcomes[file_key(unit.files[source])].append((str(outcome), str(table), int(rows)))
