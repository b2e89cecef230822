"""Load an Athena download (https://athena.ohdsi.org): a folder or zip of CONCEPT.csv and its companions."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from xinglin.contracts.mart import VOCABULARY_TABLES
from xinglin.contracts.model import Table
from xinglin.core.errors import BadInput
from xinglin.core.sql import quote
from xinglin.lake import DataFile, Lake, connect

if TYPE_CHECKING:
    import duckdb

__all__ = ["VocabularyReport", "load_vocabulary"]

_REQUIRED = ("concept", "concept_relationship")
_LOOKUP_SQL = Path(__file__).parent.parent / "sql" / "concept_lookup.sql"


@dataclass(frozen=True)
class VocabularyReport:
    """What was loaded.

    Args:
        rows: Rows of every vocabulary table.
        codes: Codes that lead to a standard concept.
        digest: Names this very vocabulary: the same files give the same digest.
    """

    rows: dict[str, int]
    codes: int
    digest: str


def load_vocabulary(lake: Lake, path: Path, *, memory_mb: int = 900) -> VocabularyReport:
    """Publish an Athena download as the vocabulary; the next build of the mart uses it throughout.

    Args:
        lake: Where the tables go.
        path: The folder or the zip file.
        memory_mb: Memory to use.

    Raises:
        BadInput: CONCEPT.csv or CONCEPT_RELATIONSHIP.csv is missing, or a file cannot be read as a table.
    """
    with lake.scratch("vocabulary") as scratch:
        sources = _sources(path, scratch)
        missing = [f"{name.upper()}.csv" for name in _REQUIRED if name not in sources]
        if missing:
            raise BadInput(
                f"{' and '.join(missing)} not found",
                source=str(path),
                remedy="give the folder or zip as Athena made it",
            )
        files: dict[Table, list[DataFile]] = {}
        with connect(memory_mb, 1, scratch) as connection:
            for name, table in VOCABULARY_TABLES.items():
                if name == "concept_lookup":
                    continue
                _load(connection, table, sources.get(name))
                files[table] = _write(lake, connection, table, f"FROM {name}", scratch)
            lookup = VOCABULARY_TABLES["concept_lookup"]
            files[lookup] = _write(lake, connection, lookup, _LOOKUP_SQL.read_text(), scratch)
        names = sorted(file.path for some in files.values() for file in some)
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        snapshot = lake.publish("vocabulary", files, {"digest": digest})
    rows = {name: snapshot.rows(name) for name in VOCABULARY_TABLES}
    return VocabularyReport(rows, rows["concept_lookup"], digest)


def _sources(path: Path, scratch: Path) -> dict[str, Path]:
    """The vocabulary's files by table name; those of a zip are unpacked one by one under names of our own."""
    if path.is_dir():
        return {file.stem.lower(): file for file in sorted(path.iterdir()) if _wanted(file.name)}
    if not zipfile.is_zipfile(path):
        raise BadInput("neither a folder nor a zip file", source=str(path), remedy="give an Athena download")
    sources = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            inner = PurePosixPath(member.filename)
            if "__MACOSX" in inner.parts or not _wanted(inner.name):
                continue
            target = scratch / f"{inner.stem.lower()}.csv"
            with archive.open(member) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            sources[inner.stem.lower()] = target
    return sources


def _wanted(name: str) -> bool:
    stem, _, ending = name.rpartition(".")
    return ending.lower() == "csv" and stem.lower() in VOCABULARY_TABLES and stem.lower() != "concept_lookup"


def _load(connection: duckdb.DuckDBPyConnection, table: Table, source: Path | None) -> None:
    """Read one file into a table of the contract's shape; every value as text first, so that nothing is guessed."""
    import duckdb

    columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    connection.execute(f"CREATE TEMP TABLE {table.name} ({columns})")
    if source is None:
        return
    with source.open("rb") as file:
        header = file.readline().decode("utf-8-sig").rstrip("\r\n")
    tabs = "\t" in header
    names = [name.strip().strip('"').lower() for name in header.split("\t" if tabs else ",")]
    # Athena's files are tab separated and know no quotes; a quote there is part of a name.
    options = "delim = '\t', quote = '', escape = ''" if tabs else "delim = ',', quote = '\"', escape = '\"'"
    given = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    select = ", ".join(
        _cast(column.name, column.type) if column.name in names else f"NULL::{column.type}" for column in table.columns
    )
    path = quote(str(source))
    try:
        # Only an empty field is NULL: the word NA is a real concept name.
        connection.execute(
            f"INSERT INTO {table.name} SELECT {select} FROM read_csv({path}, header = true, auto_detect = false, "
            f"{options}, nullstr = '', columns = {{{given}}}, max_line_size = 16777216)"
        )
    except duckdb.Error as error:
        line = str(error).splitlines()[0][:200]
        raise BadInput(f"not readable as a vocabulary table: {line}", source=source.name) from error


def _cast(name: str, kind: str) -> str:
    """Athena writes days as 20220409, others as 2022-04-09."""
    if kind == "DATE":
        return f"coalesce(try_strptime({name}, '%Y%m%d')::DATE, {name}::DATE)"
    return f"{name}::{kind}"


def _write(
    lake: Lake, connection: duckdb.DuckDBPyConnection, table: Table, select: str, scratch: Path
) -> list[DataFile]:
    columns = ", ".join(f"{column.name}::{column.type} AS {column.name}" for column in table.columns)
    path = scratch / f"{table.name}.parquet"
    quoted = quote(str(path))
    order = ", ".join(table.key)
    connection.execute(
        f"COPY (SELECT {columns} FROM ({select}) ORDER BY {order}) TO {quoted} (FORMAT parquet, COMPRESSION zstd)"
    )
    return [lake.adopt(table, path)]
