"""References of rows never dangle: stays in parts become one visit, and what points at nothing is set to NULL.

The map has only keys: whether the Encounter, Practitioner or Organization behind a reference gives a row is known when
all files of a bucket are read. Rows are settled file by file; where every reference has a target nothing is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from xinglin.contracts.mart import TABLES
from xinglin.contracts.model import Table
from xinglin.core.files import file_sha256
from xinglin.core.sql import quote
from xinglin.lake import DataFile
from xinglin.mart.parts import PARTS, SETTLED
from xinglin.mart.queries import query
from xinglin.mart.session import Context, create_table, open_session, read_parquet_sql, write_table

if TYPE_CHECKING:
    import duckdb

    from xinglin.lake import Snapshot

__all__ = ["Settled", "Targets", "gather_visits", "settle", "write_targets"]


@dataclass(frozen=True)
class Targets:
    """The providers and care sites of the region, which rows of all buckets point at.

    Args:
        path: Parquet file of kind and key.
        digest: Digest of the file.
        is_smaller: Whether one of the last build is gone.
    """

    path: str
    digest: str
    is_smaller: bool


@dataclass
class Settled:
    """What settling the references of one bucket did.

    Args:
        files: New files by table.
        replaced: Paths of the files of the map that they replace, by table.
        counts: (site, outcome, table, count) of references without a target and of rows that were dropped.
        strays: Whether a reference to a provider or care site has no target yet.
    """

    files: dict[str, list[DataFile]] = field(default_factory=dict)
    replaced: dict[str, list[str]] = field(default_factory=dict)
    counts: list[tuple[str, str, str, int]] = field(default_factory=list)
    strays: bool = False


def write_targets(context: Context, mapped: Mapping[str, Sequence[DataFile]], before: Snapshot | None) -> Targets:
    """Write the keys of providers and care sites, and compare them with those of the last build."""
    path = context.scratch / "target.parquet"
    with open_session(context, {}) as connection:
        current = _keys_sql(
            context.lake.paths(PARTS["part_provider"], [file.path for file in mapped.get("part_provider", ())]),
            context.lake.paths(TABLES["care_site"], [file.path for file in mapped.get("care_site", ())]),
        )
        connection.execute(f"COPY ({current} ORDER BY ALL) TO {quote(str(path))} (FORMAT parquet)")
        gone = 0
        if before is not None:
            old = _keys_sql(before.files("provider"), before.files("care_site"))
            row = connection.execute(f"SELECT count(*) FROM ({old} EXCEPT FROM {quote(str(path))})").fetchone()
            gone = int((row or (0,))[0])
    return Targets(str(path), file_sha256(Path(path)), gone > 0)


def _keys_sql(providers: Sequence[str], care_sites: Sequence[str]) -> str:
    provider = read_parquet_sql(list(providers), "provider_id BIGINT")
    care_site = read_parquet_sql(list(care_sites), "care_site_id BIGINT")
    return (
        f"SELECT DISTINCT 'provider' AS kind, provider_id AS key FROM {provider} "
        f"UNION ALL SELECT DISTINCT 'care_site', care_site_id FROM {care_site}"
    )


def gather_visits(connection: duckdb.DuckDBPyConnection, target: str) -> list[tuple[int, str, str, int]]:
    """Find the stay of every part of a stay, and show visits and their details as they will be.

    Args:
        connection: With the views of the buckets' input files.
        target: The file of `write_targets`.

    Returns:
        Bucket, site, table and number of the rows that are made of parts.
    """
    connection.execute(f"CREATE TEMP VIEW target AS FROM read_parquet({quote(target)})")
    create_table(connection, "visit_part", query("settle/part"))
    create_table(connection, "visit_target", query("settle/target"))
    connection.execute("ALTER VIEW visit_occurrence RENAME TO mapped_visit")
    connection.execute("DROP VIEW visit_detail")
    own = f"SELECT * FROM mapped_visit UNION ALL BY NAME ({query('settle/visit_occurrence')})"
    connection.execute(f"CREATE TEMP VIEW visit_occurrence AS {own}")
    connection.execute(f"CREATE TEMP VIEW visit_detail AS {query('settle/visit_detail')}")
    connection.execute("ALTER VIEW part_image RENAME TO mapped_image")
    connection.execute(f"CREATE TEMP VIEW part_image AS {query('settle/part_image')}")
    return connection.execute(query("settle/written")).fetchall()


def settle(
    connection: duckdb.DuckDBPyConnection, context: Context, inputs: Mapping[str, Sequence[DataFile]], folder: Path
) -> dict[int, Settled]:
    """Write the files of the map anew in which a reference must change, after `gather_visits`.

    Args:
        connection: Of `gather_visits`.
        context: What all tasks share.
        inputs: The input files of all buckets at hand, by table.
        folder: For unfinished files.

    Returns:
        What was done, by bucket.
    """
    done: dict[int, Settled] = {}
    connection.execute("CREATE TEMP TABLE dropped (row_id BIGINT)")
    for bucket, number in connection.execute(query("settle/strays")).fetchall():
        done.setdefault(int(bucket), Settled()).strays = number > 0
    for name in SETTLED:
        files = {path: file for table in (name, f"mapped_{name}") for path, file in _located(context, table, inputs)}
        # Files that an earlier build replaced come back where nothing is dropped any more.
        if not files or (name == "lineage" and not inputs.get("mapped_lineage") and not _any(connection, "dropped")):
            continue
        _settle_table(connection, context, name, files, folder, done)
    return done


def _settle_table(
    connection: duckdb.DuckDBPyConnection,
    context: Context,
    name: str,
    of_path: Mapping[str, DataFile],
    folder: Path,
    done: dict[int, Settled],
) -> None:
    """Write the files of one table anew in which a reference must change, and keep those that they replace."""
    table, kept = TABLES[name], f"mapped_{name}"
    kind = name if name in {"lineage", "cost"} else "visit" if name == "visit_occurrence" else "event"
    rows = f"read_parquet([{', '.join(map(quote, of_path))}], filename = true, hive_partitioning = false)"
    view = query(f"settle/{kind}").replace("{rows}", rows)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW settled AS {view}")
    changed = [
        row[0] for row in connection.execute("SELECT DISTINCT filename FROM settled WHERE is_changed").fetchall()
    ]
    _move(context, table, {path: of_path[path] for path in of_path if path not in changed and kept in path}, folder)
    if not changed:
        return
    listed = ", ".join(f"({quote(path)}, {of_path[path].bucket})" for path in sorted(changed))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE changed_file AS FROM (VALUES {listed}) AS f (filename, bucket)")
    if name == "cost":
        connection.execute("INSERT INTO dropped SELECT cost_id FROM settled WHERE is_dropped")
    key = table.key[0] if name != "lineage" else "row_id"
    select = (
        "SELECT settled.*, changed_file.bucket FROM settled JOIN changed_file USING (filename) "
        f"WHERE NOT is_dropped ORDER BY bucket, {', '.join(table.key)}"
    )
    for file in _move(context, PARTS[kept], {path: of_path[path] for path in sorted(changed)}, folder):
        done.setdefault(int(file.bucket or 0), Settled()).files.setdefault(kept, []).append(file)
    for path in changed:
        bucket = of_path[path].bucket
        done.setdefault(int(bucket or 0), Settled()).replaced.setdefault(name, []).append(of_path[path].path)
    for file in context.lake.adopt_all(table, write_table(connection, table, select, folder)):
        done[int(file.bucket or 0)].files.setdefault(name, []).append(file)
    if name == "lineage":
        return
    counts = query("settle/count").replace("{key}", key).replace("{table}", quote(name))
    for bucket, site, outcome, number in connection.execute(counts).fetchall():
        done[int(bucket)].counts.append((str(site), str(outcome), name, int(number)))
        done[int(bucket)].strays |= outcome == "reference-without-target"


def _located(context: Context, name: str, inputs: Mapping[str, Sequence[DataFile]]) -> list[tuple[str, DataFile]]:
    """The input files of a table with their paths on this machine."""
    table = TABLES.get(name) or PARTS[name]
    files = list(inputs.get(name, ()))
    return list(zip(context.lake.paths(table, [file.path for file in files]), files, strict=True))


def _move(context: Context, table: Table, files: Mapping[str, DataFile], folder: Path) -> list[DataFile]:
    """Adopt copies of some files as files of another table with the same columns."""
    copies = []
    for number, (path, file) in enumerate(files.items()):
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / f"{table.name}-{number}.parquet"
        shutil.copyfile(path, copy)
        copies.append((copy, file.bucket))
    return context.lake.adopt_all(table, copies)


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None
