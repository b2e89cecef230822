"""REDUCE: tables that need all files of a person bucket, or of the region; rebuilt when one of those files changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from xinglin.contracts.mart import EVENT_DATES, TABLES
from xinglin.core.sql import quote
from xinglin.lake import DataFile, table_relation
from xinglin.mart.mapping import table_named
from xinglin.mart.parts import PARTS
from xinglin.mart.queries import query
from xinglin.mart.references import Settled, gather_visits, settle
from xinglin.mart.session import Context, create_table, open_session, read_parquet_sql, write_table

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "BUCKET_INPUTS",
    "BUCKET_TABLES",
    "IMAGE_OUTPUTS",
    "REGION_INPUTS",
    "REGION_TABLES",
    "ReduceTask",
    "Reduced",
    "Reduction",
    "reduce_files",
    "reduce_tasks",
    "reduction_fingerprint",
    "write_counts",
]

BUCKET_TABLES: tuple[str, ...] = ("person", "death", "observation_period", "condition_era", "drug_era")
"""Made per person bucket."""
IMAGE_OUTPUTS: tuple[str, ...] = ("image_occurrence", "image_instance", "procedure_occurrence", "lineage")
"""Made per person bucket where it has images; the last two add rows to what the map wrote."""
BUCKET_INPUTS: tuple[str, ...] = ("part_person", "part_image", "part_visit", *EVENT_DATES, "cost", "lineage")
"""What they are made from."""
REGION_TABLES: tuple[str, ...] = ("location", "provider", "unmapped_code")
"""Made once for the region; none of them grows with the number of events."""
REGION_INPUTS: tuple[str, ...] = ("part_place", "part_provider", "part_unmapped", "care_site")
"""What they are made from."""


_TASK_ROWS = 1_000_000
"""About as many input rows have buckets that are reduced together."""


@dataclass(frozen=True)
class Reduction:
    """One bucket, or the region as a whole: its tables depend on its input files only.

    Args:
        name: The bucket's number as text, or ``region``.
        bucket: The bucket's number, or None for the region.
        inputs: The input files by table; those that were replaced lie in ``mapped_<table>``.
        fingerprint: Digest of everything the outcome depends on.
    """

    name: str
    bucket: int | None
    inputs: Mapping[str, Sequence[DataFile]]
    fingerprint: str

    @property
    def rows(self) -> int:
        """Rows of its input files."""
        return sum(file.rows for files in self.inputs.values() for file in files)


@dataclass(frozen=True)
class ReduceTask:
    """Buckets that are reduced by the same statements, or the region.

    Args:
        reductions: The buckets, or the region alone.
        ingredient: File of drugs and their ingredients; empty without a vocabulary.
        target: File of the providers and care sites of the region.
        context: What all tasks share.
    """

    reductions: tuple[Reduction, ...]
    ingredient: tuple[str, ...]
    target: str
    context: Context


@dataclass(frozen=True)
class Reduced:
    """What one reduction yielded.

    Args:
        name: Of the reduction.
        fingerprint: Of the reduction.
        files: By table.
        written: (site, table, count) of the rows counted as written that no single file wrote.
        settled: What became of the references of the bucket's rows.
    """

    name: str
    fingerprint: str
    files: dict[str, list[DataFile]]
    written: list[tuple[str, str, int]]
    settled: Settled = field(default_factory=Settled)


def reduction_fingerprint(basis: str, inputs: Mapping[str, Sequence[DataFile]]) -> str:
    """Digest of the names, which are the contents, of the input files.

    Example:
        >>> reduction_fingerprint("v1", {"a": []}) == reduction_fingerprint("v1", {"a": []})
        True
    """
    names = {table: sorted(file.path for file in files) for table, files in inputs.items()}
    return hashlib.sha256(f"{basis}\0{json.dumps(names, sort_keys=True)}".encode()).hexdigest()


def reduce_tasks(
    reductions: Sequence[Reduction], ingredient: tuple[str, ...], target: str, context: Context
) -> list[ReduceTask]:
    """Group buckets so that their queries are planned once; at least two groups, which two tasks share.

    A person lies in one bucket, so the rows of a bucket's files do not depend on the other buckets of its group.

    Args:
        reductions: What is to be made.
        ingredient: File of drugs and their ingredients; empty without a vocabulary.
        target: File of the providers and care sites of the region.
        context: What all tasks share.
    """
    buckets = [one for one in reductions if one.bucket is not None]
    total = sum(one.rows for one in buckets)
    share = total / max(2, ceil(total / _TASK_ROWS))
    groups: dict[int, list[Reduction]] = {}
    before = 0
    for one in buckets:
        groups.setdefault(int((before + one.rows / 2) / share) if share else 0, []).append(one)
        before += one.rows
    region = [[one] for one in reductions if one.bucket is None]
    return [ReduceTask(tuple(group), ingredient, target, context) for group in (*groups.values(), *region)]


def reduce_files(task: ReduceTask) -> list[Reduced]:
    """Make the tables of some buckets, or of the region, from the files that the map wrote."""
    first = task.reductions[0]
    outputs = REGION_TABLES if first.bucket is None else BUCKET_TABLES
    reduced = {one.bucket: Reduced(one.name, one.fingerprint, {}, []) for one in task.reductions}
    lake = task.context.lake
    with open_session(task.context, {}) as connection:
        for name in REGION_INPUTS if first.bucket is None else BUCKET_INPUTS:
            paths = [
                path
                for table in (name, f"mapped_{name}")
                if table in PARTS or table in TABLES
                for path in lake.paths(table_named(table), _inputs_of(task, table))
            ]
            source = table_relation(table_named(name), paths)
            connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {source}")
        if first.bucket is None:
            connection.execute(f"CREATE TEMP VIEW target AS FROM read_parquet({quote(task.target)})")
        else:
            _settle_references(connection, task, reduced)
        if any(one.inputs.get("part_image") for one in task.reductions):
            outputs += IMAGE_OUTPUTS
            for number, site, table, rows in _gather_images(connection):
                reduced[number].written.append((site, table, rows))
        if first.bucket is not None:
            source = read_parquet_sql(task.ingredient, "drug_concept_id INTEGER, ingredient_concept_id INTEGER")
            connection.execute(f"CREATE TEMP VIEW ingredient AS SELECT * FROM {source}")
            connection.execute(f"CREATE TEMP VIEW event_day AS {_event_days()}")
        bucket = "" if first.bucket is None else ", (person_id % getvariable('buckets'))::INTEGER AS bucket"
        for name in outputs:
            select = f"SELECT *{bucket} FROM ({query(f'reduce/{name}')})"
            folder = task.context.scratch / f"reduce-{first.name}"
            adopted = lake.adopt_all(TABLES[name], write_table(connection, TABLES[name], select, folder))
            for file in adopted:
                reduced[file.bucket if first.bucket is not None else None].files.setdefault(name, []).append(file)
    return list(reduced.values())


def _inputs_of(task: ReduceTask, name: str) -> list[str]:
    return [file.path for one in task.reductions for file in one.inputs.get(name, ())]


def _settle_references(
    connection: duckdb.DuckDBPyConnection, task: ReduceTask, reduced: Mapping[int | None, Reduced]
) -> None:
    """Bring parts of stays together, and settle the references of the rows that the map wrote."""
    lake, folder = task.context.lake, task.context.scratch / f"settle-{task.reductions[0].name}"
    for number, site, table, rows in gather_visits(connection, task.target):
        reduced[number].written.append((site, table, rows))
    inputs: dict[str, list[DataFile]] = {}
    for one in task.reductions:
        for name, files in one.inputs.items():
            inputs.setdefault(name, []).extend(files)
    for number, settled in settle(connection, task.context, inputs, folder).items():
        vars(reduced[number].settled).update(vars(settled))
    if not inputs["part_visit"]:
        return
    bucket = "(person_id % getvariable('buckets'))::INTEGER AS bucket"
    made = {
        "visit_occurrence": query("settle/visit_occurrence"),
        "visit_detail": "FROM visit_detail",
        "lineage": query("settle/lineage_of_part"),
    }
    for name, select in made.items():
        rows_of = f"SELECT *, {bucket} FROM ({select})"
        for file in lake.adopt_all(TABLES[name], write_table(connection, TABLES[name], rows_of, folder)):
            reduced[file.bucket].files.setdefault(name, []).append(file)


def _gather_images(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str, int]]:
    """Join series and studies, and add the procedures made from them to those that the map wrote.

    Returns:
        Bucket, site, table and number of the rows that were made.
    """
    create_table(connection, "image_series", query("image/series"))
    create_table(connection, "image_study", query("image/study"))
    connection.execute("ALTER VIEW procedure_occurrence RENAME TO mapped_procedure")
    both = f"FROM mapped_procedure UNION ALL BY NAME ({query('reduce/procedure_occurrence')})"
    connection.execute(f"CREATE TEMP VIEW procedure_occurrence AS {both}")
    return connection.execute(query("image/written")).fetchall()


def write_counts(context: Context, rows: Sequence[tuple[str, int, str, str, str, str, int]]) -> list[DataFile]:
    """Write the table etl_count.

    Args:
        context: What all tasks share.
        rows: In the contract's column order.
    """
    table = TABLES["etl_count"]
    content = json.dumps([dict(zip(table.column_names, row, strict=True)) for row in rows])
    schema = json.dumps([{column.name: column.type for column in table.columns}])
    with open_session(context, {"content": content}) as connection:
        select = (
            f"FROM (SELECT unnest(from_json(getvariable('content'), '{schema}'), recursive := true)) "
            "ORDER BY site, batch, file, outcome, table_name"
        )
        return context.lake.adopt_all(table, write_table(connection, table, select, context.scratch / "counts"))


def _event_days() -> str:
    """First and last day of every event of every table that counts for the observation period."""
    return " UNION ALL ".join(
        f"SELECT person_id, {first} AS first_day, coalesce({last}, {first}) AS last_day,"
        f" {table == 'condition_occurrence'} AS is_condition FROM {table}"
        for table, (first, last) in EVENT_DATES.items()
    )
