"""A developer's script: what it must define, its parameters, and how its errors are told."""

from __future__ import annotations

import hashlib
import json
import linecache
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES
from xinglin.core.errors import JobFailed, NotFound, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from xinglin.jobs.tables import Tables

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """A script, as text, so that it can go to another machine.

    Args:
        name: Its file name, for messages.
        source: Its text.
    """

    name: str
    source: str

    @classmethod
    def read(cls, path: Path) -> Job:
        """The script of a file.

        Raises:
            NotFound: It cannot be read.
            UsageError: It is no script of a job.
        """
        try:
            job = cls(path.name, path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise NotFound("the job cannot be read", source=str(path), remedy="name a Python file") from error
        job.check()
        return job

    @property
    def digest(self) -> str:
        """Digest of its text."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def check(self) -> None:
        """Refuse a script that lacks a part.

        Raises:
            UsageError: map or combine is missing, or a table is none of the mart's.
        """
        module = self._module("reading the script")
        missing = [name for name in ("map", "combine") if not callable(module.get(name))]
        if missing:
            raise UsageError(
                f"the job defines no {' and no '.join(missing)}",
                source=self.name,
                remedy="define map(tables, params) and combine(partials, params)",
            )
        if not isinstance(module.get("PARAMS", {}), dict):
            raise UsageError("PARAMS is a dictionary of names and the values they have unless told", source=self.name)
        unknown = sorted(set(self.tables) - set(TABLES) - set(VOCABULARY_TABLES))
        if unknown:
            raise UsageError(f"TABLES names what the mart does not hold: {', '.join(unknown)}", source=self.name)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it reads: those it names in TABLES, else all."""
        named = self._module("reading the script").get("TABLES")
        return tuple(named) if named is not None else (*TABLES, *VOCABULARY_TABLES)

    def parameters(self, told: Mapping[str, str]) -> dict[str, Any]:
        """The values of PARAMS, with those told in their place, of the same type.

        Args:
            told: Names and values as written on the command line.

        Raises:
            UsageError: The job has no such parameter, or the value is not of its type.

        Example:
            >>> Job("j.py", "PARAMS = {'least': 2, 'words': ['a']}").parameters({"least": "5", "words": "b,c"})
            {'least': 5, 'words': ['b', 'c']}
        """
        known: dict[str, Any] = dict(self._module("reading the script").get("PARAMS", {}))
        for name, text in told.items():
            if name not in known:
                remedy = f"it knows {', '.join(known)}" if known else "it has none"
                raise UsageError(f"the job has no parameter {name}", source=self.name, remedy=remedy)
            known[name] = _like(name, text, known[name], self.name)
        return known

    def run(self, function: str, tables: Tables, params: Mapping[str, Any], where: str) -> pa.Table:
        """Call map or combine.

        Args:
            function: ``map`` or ``combine``.
            tables: What it sees.
            params: From `parameters`.
            where: For the error: which bucket.

        Raises:
            JobFailed: It raised, or gave something that is no table.
        """
        module = self._module(where)
        with self._told(where):
            given = module[function](tables, dict(params))
            return _as_table(given, tables)

    def _module(self, where: str) -> dict[str, Any]:
        """The script's names; each task has its own."""
        # So that tracebacks show the lines where the file is not.
        linecache.cache[self.name] = (len(self.source), None, self.source.splitlines(keepends=True), self.name)
        module: dict[str, Any] = {"__name__": "xinglin_job", "__file__": self.name}
        with self._told(where):
            exec(compile(self.source, self.name, "exec"), module)  # noqa: S102 - running the developer's code is the point
        return module

    @contextmanager
    def _told(self, where: str) -> Iterator[None]:
        try:
            yield
        except SyntaxError as error:
            text = "".join(traceback.format_exception_only(error)).rstrip()
            raise UsageError(f"the job is no Python:\n{text}", source=self.name) from None
        except Exception as error:
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.name]
            told = "".join(traceback.format_list(frames) + traceback.format_exception_only(error)).rstrip()
            raise JobFailed(f"the job failed at {where}:\n{told}\n", source=self.name) from error


def _like(name: str, text: str, example: Any, job: str) -> Any:
    """A value of the same type as the one it takes the place of."""
    if isinstance(example, str) or example is None:
        return text
    if isinstance(example, bool) and text.lower() in {"true", "false", "yes", "no"}:
        return text.lower() in {"true", "yes"}
    if isinstance(example, list):
        first = example[0] if example else ""
        return [_like(name, one.strip(), first, job) for one in text.split(",") if one.strip()]
    try:
        if isinstance(example, bool):
            raise ValueError
        return type(example)(text)
    except (TypeError, ValueError):
        raise UsageError(
            f"the parameter {name} is of type {type(example).__name__}",
            source=job,
            remedy=f"its default is {json.dumps(example, default=str)}",
        ) from None


def _as_table(given: Any, tables: Tables) -> pa.Table:
    """What map or combine gave: SQL, an Arrow table, or rows."""
    import pyarrow as pa

    if isinstance(given, str):
        return tables.sql(given)
    if isinstance(given, pa.Table):
        return given
    if isinstance(given, pa.RecordBatch):
        return pa.Table.from_batches([given])
    if isinstance(given, dict):
        given = [given]
    if isinstance(given, list) and all(isinstance(row, dict) for row in given):
        return pa.Table.from_pylist(given)
    raise TypeError(f"it gave a {type(given).__name__}; give SQL, an Arrow table, or a list of dictionaries")
