"""Databases as SQLAlchemy reaches them; what goes wrong is told without the password and without values."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.core.errors import BadInput, NotFound, StorageError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, FromClause

__all__ = ["connected", "is_database_url", "shown", "source_of", "sql_name"]

_URL = re.compile(r"[a-z][a-z0-9]*(\+[a-z0-9]+)?://").match
_DRIVERS = {"postgresql": "postgresql+pg8000", "postgres": "postgresql+pg8000"}
_STATES = {
    "42P01": "there is no such table",
    "42703": "there is no such column",
    "42501": "the account may not read it",
    "28P01": "the account or its password is wrong",
    "28000": "the account may not log in",
    "3D000": "there is no such database",
    "42601": "the query is not SQL",
    "57014": "the query was cancelled",
}


def is_database_url(text: str) -> bool:
    """Whether a text is the URL of a database rather than a path.

    Example:
        >>> is_database_url("postgresql://his/db"), is_database_url("data/patients.csv")
        (True, False)
    """
    return bool(_URL(text)) and not text.startswith(("file:", "http:", "https:", "s3:", "hdfs:"))


def shown(url: str) -> str:
    """A database's URL as it may be shown: without account, password and options.

    Example:
        >>> shown("postgresql://reader:secret@his.example:5432/his?sslmode=x")
        'postgresql://his.example:5432/his'
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        return "the database"
    port = f":{made.port}" if made.port else ""
    return f"{made.get_backend_name()}://{made.host or ''}{port}/{made.database or ''}"


def _engine(url: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    remedy = "write it like postgresql://reader@host/database or sqlite:////path/to/file.db"
    try:
        made = make_url(url)
        made = made.set(drivername=_DRIVERS.get(made.drivername, made.drivername))
        if made.get_backend_name() == "sqlite":
            return create_engine("sqlite://", creator=lambda: _read_only(made.database or ""), hide_parameters=True)
        return create_engine(made, hide_parameters=True)
    except (ArgumentError, ValueError):
        raise UsageError("this is not the URL of a database", remedy=remedy) from None
    except (NoSuchModuleError, ImportError):
        raise UsageError("there is no driver for this database", source=shown(url), remedy="install it") from None


def _read_only(path: str) -> sqlite3.Connection:
    if not Path(path).is_file():
        raise NotFound("there is no such database file", source=path, remedy="name a file; sqlite:////absolute/path")
    return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that reads only, in one transaction, so that all tables are of one moment.

    Raises:
        UsageError: The URL cannot be used.
        StorageError: The database cannot be reached.
        BadInput: It refuses what is asked.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
                connection.execute(text("SET TRANSACTION READ ONLY"))
            yield connection
    except DBAPIError as error:
        raise _told(error.orig, shown(url)) from None
    except SQLAlchemyError as error:
        raise BadInput(f"the database cannot be read ({type(error).__name__})", source=shown(url)) from None
    finally:
        engine.dispose()


def _told(error: BaseException | None, where: str) -> Exception:
    """The refusal in our words: a server's own message can hold values."""
    first: Any = error.args[0] if error is not None and error.args else ""
    state = first.get("C", "") if isinstance(first, dict) else ""
    if state in _STATES:
        return BadInput(f"the database refuses: {_STATES[state]}", source=where, remedy="mend the mapping or the URL")
    said = str(first) if isinstance(first, str) else ""
    if said.startswith(("no such table", "no such column")):
        return BadInput(f"the database refuses: there is {said}", source=where, remedy="mend the mapping")
    kind = type(error).__name__
    if kind in ("InterfaceError", "OperationalError"):
        what = f"the database cannot be reached or read ({kind}{' ' + state if state else ''})"
        return StorageError(what, source=where, remedy="see that it runs and can be reached from here", retry=True)
    return BadInput(f"the database refuses ({kind}{' ' + state if state else ''})", source=where)


def sql_name(name: str) -> Any:
    """An identifier that is always quoted."""
    from sqlalchemy.sql import quoted_name

    return quoted_name(name, quote=True)


def source_of(table: str | None, query: str | None) -> FromClause | Any:
    """What stands behind FROM.

    Args:
        table: ``table`` or ``schema.table``.
        query: A SELECT to read instead.
    """
    import sqlalchemy as sa

    if query is not None:
        escaped = query.strip().rstrip(";").replace("\\", "\\\\").replace(":", "\\:")
        return sa.text(f"({escaped}) AS pulled")
    schema, _, name = (table or "").rpartition(".")
    return sa.table(sql_name(name), schema=sql_name(schema) if schema else None)
