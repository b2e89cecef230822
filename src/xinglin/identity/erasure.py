"""Take a person out of the tables of identity: what was decided and remembered about the person's records, too."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from xinglin.contracts.identity import TABLES
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.sql import parquet_list
from xinglin.lake.engine import connect, write_parquet
from xinglin.lake.files import DataFile
from xinglin.lake.tables import Lake

__all__ = ["forget_person"]

_ABOUT = ("patient_key", "patient_key_l", "patient_key_r", "person_id", "former_person_id", "representative", "same_as")


def forget_person(lake: Lake, person: int, keys: Collection[int]) -> int:
    """Publish identity without a person, until the next linking makes the rest anew.

    Args:
        lake: The lake.
        person: `person_id`.
        keys: Keys of the person's records.

    Returns:
        Rows that were taken out.
    """
    stage = PERSON_MAP.stage
    before = lake.snapshot(stage)
    if before is None:
        return 0
    gone = ", ".join(map(str, sorted({person, *keys})))
    taken = 0
    with lake.scratch(stage) as folder, connect(memory_mb=1_000, threads=1, temp=folder / "spill") as connection:
        files: dict[Any, list[DataFile]] = {}
        for table in (*TABLES, PERSON_MAP):
            about = [f"coalesce({name} IN ({gone}), false)" for name in _ABOUT if name in table.column_names]
            if not about:  # of systems or sites, not of persons: the next linking counts again
                files[table] = list(before.tables.get(table.name, []))
                continue
            kept: list[DataFile] = []
            for one in before.tables.get(table.name, []):
                source = f"read_parquet({parquet_list(lake.paths(table, [one.path]))})"
                path = folder / f"{table.name}-{len(kept)}.parquet"
                rows = write_parquet(connection, f"FROM {source} WHERE NOT ({' OR '.join(about)})", path)
                taken += one.rows - rows
                kept += [one] if rows == one.rows else [lake.adopt(table, path)] if rows else []
            files[table] = kept
        lake.publish(stage, files, before.state, after=before)
    return taken
