"""De-identified views of the mart: pseudonymised and date-shifted, so every SELECT over them is too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import VOCABULARY_TABLES
from xinglin.contracts.model import Column, Table
from xinglin.core.sql import parquet_list
from xinglin.lake.files import table_relation
from xinglin.release.pseudonyms import Project, Salts
from xinglin.release.treatment import RELEASED, Treatment, treatment

if TYPE_CHECKING:
    import duckdb

    from xinglin.lake import Snapshot

__all__ = ["Rules", "make_views"]

_PEOPLE = "xinglin_people"
_SAMPLE = 100_000


@dataclass(frozen=True)
class Rules:
    """Parameters of the views.

    Args:
        smallest: Fewest persons behind a site's text or a cell.
        year: Reference year for ages over 89.
        band: Birth-year band width in years.
        left_out: Persons excluded from extracts.
    """

    smallest: int
    year: int
    band: int = 1
    left_out: frozenset[int] = frozenset()


def make_views(
    connection: duckdb.DuckDBPyConnection,
    snapshots: tuple[Snapshot, Snapshot | None],
    names: Iterable[str],
    columns: frozenset[str] | None,
    secrets: tuple[Project, Salts],
    rules: Rules,
) -> list[str]:
    """Create a view of each table; the connection exposes nothing else.

    Args:
        connection: The connection.
        snapshots: Published snapshots of mart and vocabulary.
        names: Tables of `RELEASED`.
        columns: Names of required columns; None for all.
        secrets: Pseudonyms of the project, and salts of persons.
        rules: Parameters of the views.

    Returns:
        Files that the views read.
    """
    mart, vocabulary = snapshots
    _register_functions(connection, secrets[0])
    _people(connection, mart, secrets, rules)
    allowed: list[str] = list(mart.files("person"))
    for name in sorted({*names, "person"}):
        table = RELEASED[name]
        snapshot = vocabulary if name in VOCABULARY_TABLES else mart
        files = snapshot.files(name) if snapshot and snapshot.tables.get(name) else []
        allowed += files
        connection.execute(f"CREATE VIEW {name} AS {_select(connection, table, files, columns, rules)}")
    return allowed


def _register_functions(connection: duckdb.DuckDBPyConnection, project: Project) -> None:
    import pyarrow as pa
    from duckdb.func import PythonUDFType

    def rows(ids: Any, salts: Any) -> Any:
        made = project.rows(ids.to_numpy(zero_copy_only=False), salts.to_numpy(zero_copy_only=False))
        return pa.array(made, pa.int64())

    connection.create_function("xinglin_row", rows, ["BIGINT", "BIGINT"], "BIGINT", type=PythonUDFType.ARROW)


def _people(
    connection: duckdb.DuckDBPyConnection, mart: Snapshot, secrets: tuple[Project, Salts], rules: Rules
) -> None:
    """Create the table of pseudonyms, date shifts and salts, without excluded persons."""
    import pyarrow as pa

    project, salts = secrets
    files = mart.files("person")
    found = (
        connection.execute(f"SELECT person_id FROM read_parquet({parquet_list(files)}) ORDER BY 1").fetchall()
        if files
        else []
    )
    persons = [row[0] for row in found if row[0] not in rules.left_out]
    known = salts.of(persons)
    made = [project.person(person, known[person]) for person in persons]
    table = pa.table(
        {
            "raw": pa.array(persons, pa.int64()),
            "pseudonym": pa.array([one.pseudonym for one in made], pa.int64()),
            "days": pa.array([one.days for one in made], pa.int32()),
            "salt": pa.array([one.rows for one in made], pa.int64()),
        }
    )
    connection.register("xinglin_made", table)
    connection.execute(f"CREATE TEMP TABLE {_PEOPLE} AS FROM xinglin_made")
    connection.unregister("xinglin_made")


def _select(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    files: list[str],
    columns: frozenset[str] | None,
    rules: Rules,
) -> str:
    """The SELECT of one view, without unused columns that would cost a scan of the table."""
    source = table_relation(table, files)
    about_person = "person_id" in table.column_names
    terms = []
    for column in table.columns:
        how = treatment(table, column)
        if how is Treatment.WITHHELD or (
            how is Treatment.COMMON and columns is not None and column.name not in columns
        ):
            continue
        common = _common(connection, table, column, source, rules) if how is Treatment.COMMON else ""
        terms.append(f'{_term(column.name, how, about_person, rules, common)} AS "{column.name}"')
    join = f" JOIN {_PEOPLE} AS who ON who.raw = one.person_id" if about_person else ""
    return f"SELECT {', '.join(terms)} FROM {source} AS one{join}"


def _term(name: str, how: Treatment, about_person: bool, rules: Rules, common: str) -> str:
    column = f'one."{name}"'
    salt = "who.salt" if about_person else "0"
    uid = f"md5_number({column})"
    return {
        Treatment.KEEP: column,
        Treatment.PERSON: "who.pseudonym",
        Treatment.ROW: f"xinglin_row({column}, {salt})",
        Treatment.SHARED: f"xinglin_row({column}, 0)",
        Treatment.UID: f"'2.25.' || xinglin_row(({uid} & 9223372036854775807)::BIGINT, {salt})",
        Treatment.SHIFT: f"({column} + to_days(who.days))" + (f"::{'DATE'}" if name.endswith("date") else ""),
        Treatment.YEAR: f"(greatest({column}, {rules.year - 90}) // {rules.band} * {rules.band})::INTEGER",
        Treatment.COMMON: f"CASE WHEN {column} IN (SELECT word FROM {common}) THEN {column} END",
    }[how]


def _common(connection: duckdb.DuckDBPyConnection, table: Table, column: Column, source: str, rules: Rules) -> str:
    """Create a table of texts of a column that enough persons have; without person_id, that enough rows have."""
    counted = "count(DISTINCT person_id)" if "person_id" in table.column_names else "count(*)"
    name = f"xinglin_common_{table.name}_{column.name}"
    connection.execute(
        f'CREATE TEMP TABLE {name} AS SELECT "{column.name}" AS word FROM {source} WHERE "{column.name}" IS NOT NULL'
        f" GROUP BY 1 HAVING {counted} >= {rules.smallest}"
    )
    return name
