"""REDUCE: what needs all files of a person bucket, or of the region, and is made again when one of them changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinglin.contracts.mart import EVENT_DATES, TABLES
from xinglin.lake import DataFile
from xinglin.mart.mapping import table_named
from xinglin.mart.queries import query
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
    "reduce_files",
    "reduction_fingerprint",
    "write_counts",
]

BUCKET_TABLES: tuple[str, ...] = ("person", "death", "observation_period", "condition_era", "drug_era")
"""Made per person bucket."""
IMAGE_OUTPUTS: tuple[str, ...] = ("image_occurrence", "image_instance", "procedure_occurrence", "lineage")
"""Made per person bucket where it has images; the last two add rows to what the map wrote."""
BUCKET_INPUTS: tuple[str, ...] = ("part_person", "part_image", *EVENT_DATES)
"""What they are made from."""
REGION_TABLES: tuple[str, ...] = ("location", "provider", "unmapped_code")
"""Made once for the region; none of them grows with the number of events."""
REGION_INPUTS: tuple[str, ...] = ("part_place", "part_provider", "part_unmapped")
"""What they are made from."""


@dataclass(frozen=True)
class ReduceTask:
    """One bucket, or the region as a whole.

    Args:
        name: The bucket's number as text, or ``region``.
        bucket: The bucket's number, or None for the region.
        inputs: The input files by table, as `DataFile.path`.
        ingredient: File of drugs and their ingredients; empty without a vocabulary.
        fingerprint: Digest of everything the outcome depends on.
        context: What all tasks share.
    """

    name: str
    bucket: int | None
    inputs: Mapping[str, tuple[str, ...]]
    ingredient: tuple[str, ...]
    fingerprint: str
    context: Context


@dataclass(frozen=True)
class Reduced:
    """What one reduction yielded.

    Args:
        name: Of the task.
        fingerprint: Of the task.
        files: By table.
        written: (site, table, count) of the rows that are counted as written though no single file wrote them.
    """

    name: str
    fingerprint: str
    files: dict[str, list[DataFile]]
    written: list[tuple[str, str, int]]


def reduction_fingerprint(basis: str, inputs: Mapping[str, Sequence[DataFile]]) -> str:
    """Digest of the names, which are the contents, of the input files.

    Example:
        >>> reduction_fingerprint("v1", {"a": []}) == reduction_fingerprint("v1", {"a": []})
        True
    """
    names = {table: sorted(file.path for file in files) for table, files in inputs.items()}
    return hashlib.sha256(f"{basis}\0{json.dumps(names, sort_keys=True)}".encode()).hexdigest()


def reduce_files(task: ReduceTask) -> Reduced:
    """Make the tables of one bucket, or of the region, from the files that the map wrote."""
    outputs = REGION_TABLES if task.bucket is None else BUCKET_TABLES
    written: list[tuple[str, str, int]] = []
    files: dict[str, list[DataFile]] = {}
    lake = task.context.lake
    with open_session(task.context, {}) as connection:
        for name, inputs in task.inputs.items():
            source = read_parquet_sql(lake.paths(table_named(name), inputs), _columns(name))
            connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {source}")
        if task.inputs.get("part_image"):
            outputs += IMAGE_OUTPUTS
            written = _gather_images(connection)
        if task.bucket is not None:
            source = read_parquet_sql(task.ingredient, "drug_concept_id INTEGER, ingredient_concept_id INTEGER")
            connection.execute(f"CREATE TEMP VIEW ingredient AS SELECT * FROM {source}")
            connection.execute(f"CREATE TEMP VIEW event_day AS {_event_days()}")
        extra = "" if task.bucket is None else f", {task.bucket} AS bucket"
        for name in outputs:
            select = f"SELECT *{extra} FROM ({query(f'reduce/{name}')})"
            folder = task.context.scratch / f"reduce-{task.name}"
            adopted = lake.adopt_all(TABLES[name], write_table(connection, TABLES[name], select, folder))
            if adopted:
                files[name] = adopted
    return Reduced(task.name, task.fingerprint, files, written)


def _gather_images(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Bring series and studies together, and show the procedures made from them beside those that the map wrote."""
    create_table(connection, "image_series", query("image/series"))
    create_table(connection, "image_study", query("image/study"))
    connection.execute("ALTER VIEW procedure_occurrence RENAME TO mapped_procedure")
    both = f"FROM mapped_procedure UNION ALL BY NAME ({query('reduce/procedure_occurrence')})"
    connection.execute(f"CREATE TEMP VIEW procedure_occurrence AS {both}")
    return [
        (str(site), str(table), int(rows))
        for site, table, rows in connection.execute(query("image/written")).fetchall()
    ]


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


def _columns(name: str) -> str:
    return ", ".join(f"{column.name} {column.type}" for column in table_named(name).columns)


def _event_days() -> str:
    """First and last day of every event of every table that counts for the observation period."""
    return " UNION ALL ".join(
        f"SELECT person_id, {first} AS first_day, coalesce({last}, {first}) AS last_day,"
        f" {table == 'condition_occurrence'} AS is_condition FROM {table}"
        for table, (first, last) in EVENT_DATES.items()
    )
