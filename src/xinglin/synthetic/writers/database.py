"""Database of an examination centre: SQLite tables, with the time of the last change in every row of a patient.

The CREATE statements and the mapping work with PostgreSQL too.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from functools import cache
from pathlib import Path

import orjson

from xinglin.synthetic.plan import Site
from xinglin.synthetic.records import clock_text
from xinglin.synthetic.writers.mappings import mapping_text
from xinglin.synthetic.writers.rows import COLUMNS, DAYS, MOMENTS, Row, RowWriter

__all__ = ["DatabaseWriter", "create_statements"]

_TYPES = {"days": "INTEGER", "daily": "INTEGER", "quantity": "INTEGER", "instances": "INTEGER", "birth": "DATE",
          "amount": "NUMERIC(12,2)"}  # fmt: skip
_NAMES = {"start": "started_at", "end": "ended_at", "at": "performed_at", "onset": "onset_at", "abated": "abated_at",
          "recorded": "recorded_at", "until": "valid_until", "made": "manufactured_at", "died": "died_at",
          "updated": "updated_at", "registered": "registered_on", "text": "note_text", "value": "result_value",
          "role": "department_role", "id": "id"}  # fmt: skip


def _column(field: str) -> str:
    """The name of a column; SQL's reserved words are avoided."""
    return _NAMES.get(field, field)


def create_statements() -> list[str]:
    """The CREATE TABLE statements for SQLite and PostgreSQL.

    Example:
        >>> create_statements()[1].splitlines()[0]
        'CREATE TABLE department ('
    """
    return [
        f"CREATE TABLE {table} (\n  "
        + ",\n  ".join(f"{_column(field)} {_type(field)}{' PRIMARY KEY' if field == 'id' else ''}" for field in columns)
        + "\n)"
        for table, columns in COLUMNS.items()
    ]


def _type(field: str) -> str:
    return "TIMESTAMP" if field in MOMENTS else "DATE" if field in DAYS else _TYPES.get(field, "TEXT")


@cache
def _kinds(table: str) -> tuple[str, ...]:
    return tuple("moment" if field in MOMENTS else "day" if field in DAYS else "" for field in COLUMNS[table])


def _line(row: Row) -> str:
    """A row as one line of JSON, with times in SQL notation."""
    table, values = row
    written = [
        value
        if value is None or not kind
        else clock_text(value)[:19].replace("T", " ")
        if kind == "moment"
        else date.fromordinal(value).isoformat()
        for value, kind in zip(values, _kinds(table), strict=True)
    ]
    return orjson.dumps(written).decode()


class DatabaseWriter(RowWriter):
    """Writes a database; until `finish` its rows are lines in files."""

    suffix = ".rows"
    reading = "tabular"
    database = "health_check.db"

    def line(self, row: Row) -> tuple[str, str]:
        """Add a row as a line of JSON."""
        return row[0], _line(row)

    def encode(self, lines: list[str]) -> bytes:
        """One row per line."""
        return ("\n".join(lines) + "\n").encode()

    def head(self, stem: str) -> bytes:
        """Nothing."""
        return b""

    def finish(self, site: Site, folder: Path) -> None:
        """Make the database from the lines: in one transaction and in order, so that its bytes are reproducible."""
        with closing(sqlite3.connect(folder / self.database, isolation_level=None)) as database:
            for pragma in ("page_size = 4096", "journal_mode = OFF", "synchronous = OFF", "encoding = 'UTF-8'"):
                database.execute(f"PRAGMA {pragma}")
            database.execute("BEGIN")
            for statement in create_statements():
                database.execute(statement)
            for table, columns in COLUMNS.items():
                insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"
                for path in sorted(folder.glob(f"{table}.*{self.suffix}")):
                    with path.open("rb") as file:
                        database.executemany(insert, map(orjson.loads, file))
                    path.unlink()
            database.execute("COMMIT")

    def mapping(self, site: Site) -> str:
        """The mapping of its tables to FHIR."""
        return mapping_text("health_check", site)
