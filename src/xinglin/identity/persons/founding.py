"""Which run first linked a record, and by which batch it came: the record that was there first names the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xinglin.core.sql import parquet_list
from xinglin.identity.features.extract import LandedPatients

if TYPE_CHECKING:
    import duckdb

__all__ = ["make_founding"]


def make_founding(
    connection: duckdb.DuckDBPyConnection, landed: Sequence[LandedPatients], known: Mapping[str, int], run: int
) -> dict[str, int]:
    """Make the table ``founding`` (patient_key, founding): the run that first linked each record, and the batch.

    Args:
        connection: Where it is made.
        landed: All landed files of Patients.
        known: The run that first linked each batch, by ``site/batch``.
        run: Number of this run.

    Returns:
        The run of every batch.
    """
    batches = dict(known)
    for file in landed:
        batches.setdefault(f"{file.site}/{file.batch}", run)
    select = "SELECT NULL::BIGINT AS patient_key, NULL::BIGINT AS founding WHERE false"
    order = [(str(file.path), (batches[f"{file.site}/{file.batch}"] << 32) + file.batch) for file in landed]
    if order:
        values = ", ".join(f"('{path.replace(chr(39), chr(39) * 2)}', {place})" for path, place in order)
        select = (
            "SELECT landed.key AS patient_key, min(place) AS founding"
            f" FROM read_parquet({parquet_list([path for path, _ in order])}, filename = 'path') AS landed"
            f" JOIN (VALUES {values}) AS landed_order(path, place) USING (path) GROUP BY landed.key"
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE founding AS {select}").fetchall()
    return batches
