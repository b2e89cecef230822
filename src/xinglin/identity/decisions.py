"""Merges and splits that people decide: kept with who, when and why, and replayed on every linking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from xinglin.contracts.identity import DECISION, TABLES
from xinglin.contracts.person_map import PERSON_MAP
from xinglin.core.clock import Clock
from xinglin.core.errors import NotFound, UsageError
from xinglin.core.ids import omop_key
from xinglin.core.sql import parquet_list
from xinglin.lake.engine import connect, write_parquet

if TYPE_CHECKING:
    from xinglin.lake.files import Snapshot
    from xinglin.lake.tables import Lake

__all__ = ["Action", "decide", "decisions", "record_key"]

Action = Literal["merge", "split"]
_REMEDY = "run: xinglin link"


def record_key(record: str) -> int:
    """The key of a record named ``SITE/LOCAL_ID``.

    Raises:
        UsageError: The name is not of that form.

    Example:
        >>> record_key("mercy/abc")
        2663311146306717066
    """
    site, slash, local_id = record.partition("/")
    if not (site and slash and local_id):
        raise UsageError("a record is named SITE/LOCAL_ID", source="record", remedy="write for example mercy/1234")
    return omop_key(site, "Patient", local_id)


def decide(lake: Lake, action: Action, first: str, second: str, *, who: str, why: str, clock: Clock) -> int:
    """Keep a decision; the next linking carries it out.

    Args:
        lake: The lake.
        action: merge (one person's) or split (two persons').
        first: One record, ``SITE/LOCAL_ID``.
        second: The other.
        who: Who decides.
        why: The reason.
        clock: The time.

    Returns:
        The decision's number, from 1.

    Raises:
        NotFound: One of the records was never linked.
        UsageError: The two records are the same, or who or why is empty.
    """
    if action not in ("merge", "split"):
        raise UsageError("a decision is merge or split", source="action")
    if not who.strip() or not why.strip():
        raise UsageError("a decision needs a name and a reason", source="who, why", remedy="give both")
    left, right = sorted((record_key(first), record_key(second)))
    if left == right:
        raise UsageError("a decision is about two different records", source="record")
    snapshot = lake.require(DECISION.stage, _REMEDY)
    _must_exist(snapshot, {first: record_key(first), second: record_key(second)})
    with lake.scratch(DECISION.stage) as folder:
        snapshot = lake.require(DECISION.stage, _REMEDY)
        earlier = snapshot.tables.get(DECISION.name, [])
        number = sum(file.rows for file in earlier) + 1
        path = folder / "decision.parquet"
        _write_row(path, [number, action, left, right, who.strip(), clock(), why.strip()])
        tables = {table: snapshot.tables.get(table.name, []) for table in (*TABLES, PERSON_MAP)}
        tables[DECISION] = [*earlier, lake.adopt(DECISION, path)]
        lake.publish(DECISION.stage, tables, snapshot.state, after=snapshot)
    return number


def decisions(lake: Lake) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Every decision in order, with site and local id of both records.

    Returns:
        Column names and rows.
    """
    columns = ["sequence", "action", "site_l", "local_id_l", "site_r", "local_id_r", "who", "at", "why"]
    snapshot = lake.snapshot(DECISION.stage)
    if snapshot is None or not snapshot.tables.get(DECISION.name):
        return columns, []
    connection = connect(memory_mb=200, threads=1)
    rows = connection.execute(
        'SELECT d.sequence, d.action, l.site, l.local_id, r.site, r.local_id, d.who, d."at", d.why'
        f" FROM read_parquet({parquet_list(snapshot.files(DECISION.name))}) AS d"
        f" JOIN read_parquet({parquet_list(snapshot.files('patient'))}) AS l ON l.patient_key = d.patient_key_l"
        f" JOIN read_parquet({parquet_list(snapshot.files('patient'))}) AS r ON r.patient_key = d.patient_key_r"
        " ORDER BY d.sequence"
    ).fetchall()
    return columns, rows


def _must_exist(snapshot: Snapshot, records: dict[str, int]) -> None:
    connection = connect(memory_mb=200, threads=1)
    for record, key in records.items():
        files = snapshot.files(PERSON_MAP.name)
        found = (
            files
            and connection.execute(
                f"SELECT 1 FROM read_parquet({parquet_list(files)}) WHERE patient_key = ?", [key]
            ).fetchall()
        )
        if not found:
            raise NotFound(
                "there is no such record", source=record.partition("/")[0], remedy="xinglin identity links lists all"
            )


def _write_row(path: Any, values: list[Any]) -> None:
    connection = connect(memory_mb=200, threads=1)
    columns = ", ".join(f'"{column.name}" {column.type}' for column in DECISION.columns)
    connection.execute(f"CREATE TABLE decision ({columns})").fetchall()
    values = [value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in values]
    connection.execute(f"INSERT INTO decision VALUES ({', '.join('?' for _ in values)})", values).fetchall()
    write_parquet(connection, "FROM decision", path)
