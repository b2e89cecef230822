"""Reading what linking found: every record's person, and the pairs that wait for a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xinglin.contracts.identity import IDENTIFIER_SYSTEM, PATIENT, PERSON_LINK, REVIEW
from xinglin.core.sql import parquet_list
from xinglin.lake.engine import connect

if TYPE_CHECKING:
    from xinglin.lake.tables import Lake

__all__ = ["identifier_systems", "person_links", "waiting_pairs"]

_REMEDY = "run: xinglin link"
_SHOWN = ("given_name", "family_name", "birth_date", "gender", "national_id", "phone", "address", "postal_code", "city")


def person_links(lake: Lake) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Site, local id, person id and probability of every record, ordered by site and local id.

    Raises:
        NotFound: Nothing was linked yet.
    """
    columns = ["site", "local_id", "person_id", "probability"]
    files = lake.require(PERSON_LINK.stage, _REMEDY).files(PERSON_LINK.name)
    if not files:
        return columns, []
    connection = connect(memory_mb=400, threads=2)
    rows = connection.execute(
        f"SELECT {', '.join(columns)} FROM read_parquet({parquet_list(files)}) ORDER BY site, local_id"
    ).fetchall()
    return columns, rows


def waiting_pairs(lake: Lake, limit: int = 50, *, values: bool = False) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The pairs that wait for a decision, the likeliest first.

    Args:
        lake: The lake.
        limit: At most so many.
        values: Show both records' values beside each other; without, only what agrees and what differs is named.

    Raises:
        NotFound: Nothing was linked yet.
    """
    columns = ["site_l", "local_id_l", "site_r", "local_id_r", "probability", "agrees", "differs"]
    if values:
        columns += [f"{name}_{side}" for name in _SHOWN for side in ("l", "r")]
    snapshot = lake.require(REVIEW.stage, _REMEDY)
    if not snapshot.files(REVIEW.name):
        return columns, []
    patients = f"read_parquet({parquet_list(snapshot.files(PATIENT.name))})"
    agrees = ", ".join(f"CASE WHEN l.{name} = r.{name} THEN '{name}' END" for name in _SHOWN)
    differs = ", ".join(f"CASE WHEN l.{name} != r.{name} THEN '{name}' END" for name in _SHOWN)
    shown = "".join(f", l.{name}, r.{name}" for name in _SHOWN) if values else ""
    rows = connect(memory_mb=400, threads=2).execute(
        f"SELECT l.site, l.local_id, r.site, r.local_id, pair.probability,"
        f" concat_ws(' ', {agrees}), concat_ws(' ', {differs}){shown}"
        f" FROM read_parquet({parquet_list(snapshot.files(REVIEW.name))}) AS pair"
        f" JOIN {patients} AS l ON l.patient_key = pair.patient_key_l"
        f" JOIN {patients} AS r ON r.patient_key = pair.patient_key_r"
        " ORDER BY pair.probability DESC, pair.patient_key_l, pair.patient_key_r LIMIT ?",
        [limit],
    )
    return columns, rows.fetchall()


def identifier_systems(lake: Lake) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Every identifier system with its figures and the verdict: whose numbers are a person's everywhere.

    Raises:
        NotFound: Nothing was linked yet.
    """
    columns = list(IDENTIFIER_SYSTEM.column_names)
    snapshot = lake.require(IDENTIFIER_SYSTEM.stage, _REMEDY)
    if not snapshot.tables.get(IDENTIFIER_SYSTEM.name):
        return columns, []
    listed = ", ".join(f'"{name}"' for name in columns)
    with connect(memory_mb=200, threads=1) as connection:
        files = parquet_list(snapshot.files(IDENTIFIER_SYSTEM.name))
        rows = connection.execute(f"SELECT {listed} FROM read_parquet({files}) ORDER BY system").fetchall()
    return columns, rows
