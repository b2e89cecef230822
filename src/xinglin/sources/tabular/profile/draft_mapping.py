"""Look at a table nobody has described, and draft its mapping file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinglin.sources.tabular.profile.columns import TableProfile

__all__ = ["Profile", "profile"]


@dataclass(frozen=True)
class Profile:
    """What was seen, and the mapping file drafted from it.

    Args:
        tables: The tables.
        mapping: Text of the draft; it is valid.
    """

    tables: list[TableProfile]
    mapping: str


def profile(source: str, time_zone: str) -> Profile:
    """Look at a file or a database and draft a mapping file.

    Args:
        source: Path of a file, or URL of a database.
        time_zone: Of local times.

    Raises:
        NotFound: There is no such file.
        BadInput: It cannot be read as a table.
        StorageError: The database cannot be reached.
    """
    from xinglin.sources.tabular import draft, is_database_url, load_mapping, look_at_database, look_at_file

    if is_database_url(source):
        tables = look_at_database(source)
        names: dict[str, str] = {}
    else:
        path = Path(source)
        tables = look_at_file(path)
        name = path.name
        for ending in (".gz", ".zst", ".zstd"):
            name = name.removesuffix(ending)
        names = {table.name: name for table in tables}
    mapping = draft(tables, names, time_zone)
    load_mapping(mapping)
    return Profile(tables, mapping)
