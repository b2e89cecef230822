"""The current resources of a region: landed rows that no later version replaced and that were not erased.

This is the only place that writes the relation; linkage, the mart, views and the record of a person all read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from xinglin.core.sql import parquet_list, quote

__all__ = ["COLUMNS", "CurrentFile", "current_resources"]

COLUMNS: dict[str, str] = {
    "source": "INTEGER",
    "site": "VARCHAR",
    "kind": "VARCHAR",
    "row": "BIGINT",
    "key": "BIGINT",
    "resource_id": "VARCHAR",
    "patient_key": "BIGINT",
    "resource": "VARCHAR",
}
"""Columns of the relation and their types.

``source`` is the place of the landed file in the list, ``kind`` the resource type, ``row`` the row in the file, both
counted from 0; the others are the columns of a landed file.
"""


class CurrentFile(Protocol):
    """What the relation needs of a landed file; see `LandedFile`."""

    @property
    def site(self) -> str:
        """Site that sent it."""
        ...

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    @property
    def resource_type(self) -> str:
        """FHIR resource type of its rows."""
        ...

    @property
    def superseded(self) -> tuple[int, ...]:
        """Rows that do not count any more."""
        ...


def current_resources(files: Sequence[CurrentFile], columns: Sequence[str] = tuple(COLUMNS)) -> str:
    """The current resources of some landed files as an item for FROM, in the order of the files and their rows.

    Args:
        files: The landed files.
        columns: Those of `COLUMNS` that are needed.

    Example:
        >>> current_resources([], ["site", "resource"])
        '(SELECT NULL::VARCHAR AS site, NULL::VARCHAR AS resource WHERE false)'
        >>> from xinglin.landing import LandedFile
        >>> file = LandedFile("mercy", 1, "p", Path("/p.parquet"), "Patient", 9, "", 0, superseded=(3,))
        >>> current_resources([file], ["site", "resource"])  # doctest: +ELLIPSIS
        "(SELECT 'mercy' AS site, l.resource FROM read_parquet(['/p.parquet']) l ANTI JOIN ...)"
    """
    if not files:
        return f"(SELECT {', '.join(f'NULL::{COLUMNS[name]} AS {name}' for name in columns)} WHERE false)"
    computed = {
        "source": "l.file_index::INTEGER",
        "site": _by_file([file.site for file in files]),
        "kind": _by_file([file.resource_type for file in files]),
        "row": "l.file_row_number",
    }
    select = ", ".join(f"{computed[name]} AS {name}" if name in computed else f"l.{name}" for name in columns)
    paths = parquet_list([str(file.path) for file in files])
    gone = ", ".join(
        # One text each: DuckDB parses a long list of numbers slowly.
        f"({number}, {quote(','.join(map(str, file.superseded)))})"
        for number, file in enumerate(files)
        if file.superseded
    )
    without = (
        " ANTI JOIN (SELECT source, unnest(string_split(rows, ',')::BIGINT[]) AS row"
        f" FROM (VALUES {gone}) s(source, rows)) gone ON gone.source = l.file_index AND gone.row = l.file_row_number"
    )
    return f"(SELECT {select} FROM read_parquet({paths}) l{without if gone else ''})"


def _by_file(texts: Sequence[str]) -> str:
    """What is said of every file, for each row."""
    if len(set(texts)) == 1:
        return quote(texts[0])
    return f"([{', '.join(map(quote, texts))}])[l.file_index::INTEGER + 1]"
