"""Which tables of the mapping a file holds, and their recipes for its header."""

from __future__ import annotations

from functools import lru_cache

from xinglin.core.errors import UsageError
from xinglin.sources.reading import Reading
from xinglin.sources.record import Rejected
from xinglin.sources.tabular.compile.resources import Recipe, compile_table
from xinglin.sources.tabular.load import load_mapping
from xinglin.sources.tabular.mapping.file import Mapping, Table

__all__ = ["PULLED", "mapping_of", "no_table", "recipes_of", "tables_of"]

PULLED = ".pulled.parquet"
"""How the files of a pulled database end; before it stands the table's name."""


def mapping_of(reading: Reading) -> Mapping:
    """The mapping by which an ingest reads tables.

    Raises:
        UsageError: None was given.
        BadInput: It cannot be used.
    """
    if reading.mapping is None:
        remedy = "name one with --mapping; xinglin source profile drafts it"
        raise UsageError("a table is read by a mapping file", remedy=remedy)
    return load_mapping(reading.mapping)


def tables_of(mapping: Mapping, name: str) -> list[Table]:
    """The tables that a file holds by its name; one that was pulled from a database is named after its table."""
    last = name.rsplit("/", 1)[-1]
    if last.endswith(PULLED) and (table := mapping.tables.get(last.removesuffix(PULLED))):
        return [table]
    return mapping.tables_of(name)


def no_table() -> Rejected:
    """Why a file that no table of the mapping names is set aside."""
    return Rejected("no-table", "expected a table of the mapping with a file of this name")


@lru_cache(maxsize=64)
def recipes_of(text: str, table: str, header: tuple[str, ...], typed: bool) -> list[Recipe]:
    """A table's recipes, compiled once a process.

    Raises:
        Rejected: The header lacks a column.
    """
    mapping = load_mapping(text)
    return compile_table(mapping, mapping.tables[table], header, typed)
