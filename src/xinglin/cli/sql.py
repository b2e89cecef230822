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

__all__ = ["print_rows"]

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
    out: Annotated[Path | None, typer.Option(help="Write to this file (needed for parquet).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
    purpose: Purpose = None,
    home: Home = None,
) -> None:
    """Ask the mart: read-only, pseudonymous, nothing else within reach."""
    from xinglin.core.errors import UsageError
    from xinglin.flows.answer import ask

    answer = ask(opened("sql", home, purpose=purpose), question)
    chosen = "json" if as_json else form.value
    if chosen == "parquet":
        if out is None:
            raise UsageError("a Parquet answer needs a file", remedy="add --out FILE.parquet")
        _write_parquet(answer.cursor, out)
        return
    if out is None:
        print_rows(answer.columns, answer.rows(), chosen)
        return
    with out.open("w", encoding="utf-8", newline="") as file:
        print_rows(answer.columns, answer.rows(), chosen, file)


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
