"""A table without the rows of some persons: what a population's reader gets where persons said no."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from xinglin.contracts.model import Table
from xinglin.core.sql import parquet_list

__all__ = ["ROW_OF", "needed", "select_without"]

ROW_OF = {"lineage": ("table_name", "row_id"), "cost": (None, "cost_event_id")}
"""Tables that name a person's row instead of the person: the columns with that row's table, if any, and its key."""


def select_without(
    table: Table,
    paths: Mapping[str, Collection[str]],
    tables: Mapping[str, Table],
    persons: Collection[int],
) -> str:
    """A SELECT of a table's rows but those of some persons; all of its rows where there are none to leave out.

    Args:
        table: The table.
        paths: Files of it and, where it names rows of others (`needed`), of those.
        tables: Contracts by name.
        persons: `person_id` of each person to leave out.

    Example:
        >>> from xinglin.contracts.mart import TABLES
        >>> select_without(TABLES["death"], {"death": ["/a.parquet"]}, TABLES, [3, 1])
        "SELECT * FROM read_parquet(['/a.parquet']) WHERE person_id NOT IN (1, 3)"
    """
    select = f"SELECT * FROM {_read(paths[table.name])}"
    if not persons:
        return select
    listed = ", ".join(map(str, sorted(persons)))
    if _has_person(table):
        return f"{select} WHERE person_id NOT IN ({listed})"
    if table.name not in ROW_OF:
        return select
    name_column, key_column = ROW_OF[table.name]
    rows = [
        f"SELECT '{name}' AS of_table, {tables[name].key[0]} AS of_row FROM {_read(paths[name])}"
        f" WHERE person_id IN ({listed})"
        for name in needed([table.name], tables)
        if paths.get(name)
    ]
    if not rows:
        return select
    same = f"of_row = {key_column}" + (f" AND of_table = {name_column}" if name_column else "")
    return f"{select} AS here WHERE NOT EXISTS (SELECT 1 FROM ({' UNION ALL '.join(rows)}) AS theirs WHERE {same})"


def needed(names: Iterable[str], tables: Mapping[str, Table]) -> list[str]:
    """Tables whose files `select_without` needs in addition to those of the named ones.

    Args:
        names: Tables to be shown.
        tables: Contracts by name.
    """
    if not set(names) & set(ROW_OF):
        return []
    return [name for name, table in tables.items() if _has_person(table)]


def _has_person(table: Table) -> bool:
    return any(column.name == "person_id" for column in table.columns)


def _read(paths: Collection[str]) -> str:
    return f"read_parquet({parquet_list(list(paths))})"
