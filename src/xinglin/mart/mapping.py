"""MAP: one landed file becomes rows of OMOP tables, one small Parquet file per table and person bucket.

A unit of work is one landed file. What it yields depends only on what `Unit.fingerprint` is made of, so a unit
whose fingerprint is unchanged is never read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES
from xinglin.contracts.model import Table
from xinglin.lake import DataFile
from xinglin.mart.parts import PARTS
from xinglin.mart.queries import IMAGE_TYPES, PART_TYPES, query, schema
from xinglin.mart.session import Context, create_table, open_session, read_parquet_sql, write_table

if TYPE_CHECKING:
    import duckdb

__all__ = ["MapTask", "Unit", "UnitOutput", "map_unit", "table_named"]

_SMALL = 10_000
_LEFT_OUT = {"Patient": "no-person", "Location": "no-address", "PractitionerRole": "no-practitioner"}


@dataclass(frozen=True)
class Unit:
    """One landed file and all that decides what becomes of it.

    Args:
        site: Site that sent it.
        batch: Sequence of the batch.
        name: Its name in the batch.
        path: Where it lies.
        resource_type: FHIR resource type.
        sha256: Digest of its bytes.
        rows: Resources in it.
        superseded: Rows that later batches replaced.
        references: Parquet files of the site's identifiers and of coded resources; None where it needs none.
        fingerprint: Digest of everything its outcome depends on.
    """

    site: str
    batch: int
    name: str
    path: str
    resource_type: str
    sha256: str
    rows: int
    superseded: tuple[int, ...]
    references: tuple[str | None, str | None]
    fingerprint: str

    @property
    def key(self) -> str:
        """Its name among all units."""
        return f"{self.site}/{self.batch:06d}/{self.name}"


@dataclass(frozen=True)
class MapTask:
    """One unit with what it shares with the others."""

    unit: Unit
    context: Context


@dataclass(frozen=True)
class UnitOutput:
    """What one unit yielded: files by table, and (outcome, table, count) rows."""

    key: str
    files: dict[str, list[DataFile]]
    outcomes: list[tuple[str, str, int]]


def table_named(name: str) -> Table:
    """The contract of a table of the mart or of an inner table.

    Example:
        >>> table_named("part_person").bucketed
        True
    """
    return TABLES.get(name) or PARTS[name]


def map_unit(task: MapTask) -> UnitOutput:
    """Turn one landed file into table files; the same input gives the same bytes."""
    unit, context = task.unit, task.context
    variables: dict[str, Any] = {
        "site": unit.site, "batch": unit.batch, "file": unit.name, "resource_type": unit.resource_type,
    }  # fmt: skip
    outcomes = [("resources", "", unit.rows)]
    if unit.superseded:
        outcomes.append(("superseded", "", len(unit.superseded)))
    with open_session(context, variables, unit.references) as connection:
        _parse(connection, unit, context)
        if unit.resource_type in PART_TYPES:
            writes = _parts(connection, unit.resource_type, outcomes)
        else:
            writes = _events(connection, unit, outcomes)
        folder = context.scratch / unit.fingerprint
        files: dict[str, list[DataFile]] = {}
        for name, select in writes:
            table = table_named(name)
            adopted = context.lake.adopt_all(table, write_table(connection, table, select, folder))
            if adopted:
                files[name] = [*files.get(name, []), *adopted]
    return UnitOutput(unit.key, files, outcomes)


def _parse(connection: duckdb.DuckDBPyConnection, unit: Unit, context: Context) -> None:
    """Parse every current resource of the file once, into the table ``parsed``."""
    landed = f"read_parquet([{_literal(unit.path)}], file_row_number = true)"
    if unit.superseded:
        gone = [list(unit.superseded)]
        connection.execute("CREATE TEMP TABLE superseded AS SELECT unnest(?::BIGINT[]) AS row", gone)
    known = read_parquet_sql([context.person_map], "")
    create_table(
        connection,
        "person_of",
        f"SELECT patient_key, person_id FROM {known} WHERE patient_key IN (SELECT patient_key FROM {landed})",
    )
    create_table(
        connection,
        "parsed",
        f"""SELECT l.file_row_number AS row, l.key AS resource_key, l.resource_id, p.person_id,
            from_json(l.resource, {_literal(schema(unit.resource_type))}) AS r
        FROM {landed} l LEFT JOIN person_of p USING (patient_key)
        {"WHERE l.file_row_number NOT IN (SELECT row FROM superseded)" if unit.superseded else ""}""",
    )


def _events(
    connection: duckdb.DuckDBPyConnection, unit: Unit, outcomes: list[tuple[str, str, int]]
) -> list[tuple[str, str]]:
    """Clinical resources: events, their concepts, the tables they go to."""
    # A table is planned once, which counts for small files; a view is not copied, which counts for large ones.
    kind = "TABLE" if unit.rows < _SMALL else "VIEW"
    # What a query does not name is NULL.
    connection.execute(
        f"CREATE TEMP {kind} event AS FROM event_shape UNION ALL BY NAME "
        f"SELECT * FROM ({query(f'event/{unit.resource_type}')})"
    )
    create_table(connection, "concept", query("concept"))
    create_table(connection, "routed", query("routed"))
    has_images = unit.resource_type in IMAGE_TYPES
    if has_images:
        create_table(connection, "part_image", query(IMAGE_TYPES[unit.resource_type]))
    connection.execute(f"DROP {kind} event; DROP TABLE parsed")
    outcomes += [tuple(row) for row in connection.execute(query("outcome")).fetchall()]
    targets = [table for outcome, table, _ in outcomes if outcome == "written"]
    writes = [(name, query(f"table/{name}")) for name in targets]
    if writes or has_images:
        writes += [("lineage", query("lineage/event")), ("part_unmapped", query("unmapped"))]
    if has_images:
        outcomes += [tuple(row) for row in connection.execute(query("image/outcome")).fetchall()]
        writes.append(("part_image", "FROM part_image WHERE series_uid IS NOT NULL"))
    return writes


def _parts(
    connection: duckdb.DuckDBPyConnection, resource_type: str, outcomes: list[tuple[str, str, int]]
) -> list[tuple[str, str]]:
    """Persons, places and professionals: what this file tells of them."""
    writes = []
    for name, table in PART_TYPES[resource_type]:
        create_table(connection, table, query(name))
        writes.append((table, f"FROM {table}"))
    create_table(connection, "lineage", query(f"lineage/{resource_type}"))
    made = connection.execute("SELECT count(DISTINCT resource_key) FROM lineage").fetchone()
    total = connection.execute("SELECT count(*) FROM parsed").fetchone()
    mapped, current = int((made or (0,))[0]), int((total or (0,))[0])
    outcomes.append(("mapped", "", mapped))
    if current > mapped:
        outcomes.append((_LEFT_OUT[resource_type], "", current - mapped))
    told = connection.execute("SELECT table_name, count(*) FROM lineage GROUP BY 1 ORDER BY 1").fetchall()
    outcomes += [("contributes", str(table_name), int(count)) for table_name, count in told]
    return [*writes, ("lineage", "FROM lineage")]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
