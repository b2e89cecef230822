"""Questions in SQL."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from xinglin.cli.app import Home, Purpose, app
from xinglin.cli.opening import opened
from xinglin.cli.show import complain, plain, print_table

__all__ = ["AnswerFormat", "file_form", "print_rows"]

_SHOWN = 200


class AnswerFormat(StrEnum):
    """How an answer is printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@app.command()
def sql(
    question: Annotated[str, typer.Argument(help="One SELECT, in DuckDB's SQL, over OMOP CDM 5.4 tables.")],
    form: Annotated[
        AnswerFormat, typer.Option("--format", help="table (first 200 rows), csv, json or parquet.")
    ] = AnswerFormat.table,
    out: Annotated[Path | None, typer.Option(help="Write to this file; its name says the format.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
    purpose: Purpose = None,
    home: Home = None,
) -> None:
    """Ask the mart: read-only, pseudonymous, nothing else within reach."""
    from xinglin.flows.questions.sql import ask

    chosen = file_form("json" if as_json else form.value, out)
    answer = ask(opened("sql", home, purpose=purpose), question)
    if chosen == "parquet" and out is not None:
        _write_parquet(answer.cursor, out)
        return
    if out is None:
        print_rows(answer.columns, answer.rows(), chosen)
        return
    with out.open("w", encoding="utf-8", newline="") as file:
        print_rows(answer.columns, answer.rows(), chosen, file)


def file_form(form: str, out: Path | None) -> str:
    """The form of an answer: a file has the one that its name says, CSV where it says none, and is never a drawn table.

    Raises:
        UsageError: Parquet is wanted, and no file.

    Example:
        >>> file_form("table", Path("answer.parquet")), file_form("table", None)
        ('parquet', 'table')
    """
    from xinglin.core.errors import UsageError

    if form == "parquet" and out is None:
        raise UsageError("a Parquet answer needs a file", remedy="add --out FILE.parquet")
    if form != "table" or out is None:
        return form
    named = out.suffix.removeprefix(".")
    return named if named in {"json", "parquet"} else "csv"


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str, file: Any = None) -> None:
    """Rows as a table (the first 200), CSV (RFC 4180) or a JSON array of objects, streamed."""
    import csv
    import json

    target = file or sys.stdout
    if form == "csv":
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif form == "json":
        separator = "["
        for row in rows:
            value = dict(zip(columns, row, strict=True))
            target.write(separator + json.dumps(value, default=plain, ensure_ascii=False))
            separator = ",\n"
        target.write("]\n" if separator != "[" else "[]\n")
    else:
        iterator = iter(rows)
        print_table("", columns, islice(iterator, _SHOWN))
        if next(iterator, None) is not None:
            complain(f"only the first {_SHOWN} rows are shown; --format csv gives all")


def _write_parquet(cursor: Any, out: Path) -> None:
    import pyarrow.parquet as parquet

    reader = cursor.to_arrow_reader(100_000)
    with parquet.ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
