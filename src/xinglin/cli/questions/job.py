"""Developers' jobs: map over person buckets, combine, on either runner."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, Master, Purpose, RunnerChoice, command_group
from xinglin.cli.opening import opened
from xinglin.cli.questions.sql import AnswerFormat, file_form, print_rows
from xinglin.cli.show import complain, progress_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

job = command_group("job", "Jobs of your own: a map over every person bucket, and a combine.")


@job.command("run")
def run_job(
    script: Annotated[Path, typer.Argument(help="Python file with map(tables, params) and combine(partials, params).")],
    param: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, a parameter of the job; may be given again.")
    ] = None,
    form: Annotated[AnswerFormat, typer.Option("--format", help="table, csv, json or parquet.")] = AnswerFormat.table,
    out: Annotated[Path | None, typer.Option(help="Write to this file; its name says the format.")] = None,
    runner: RunnerChoice = None,
    master: Master = None,
    purpose: Purpose = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run a job over the mart; a run that was killed goes on where it was."""
    from xinglin.admission.renewal import Standing
    from xinglin.flows.questions.job import run_script
    from xinglin.wiring import open_runner

    chosen = file_form("json" if as_json else form.value, out)
    told = dict(_pair(text) for text in param or [])
    stores = opened("job run", home, purpose=purpose)
    with open_runner(stores.settings, runner, master) as where, progress_bars(as_json) as bars:
        standing = Standing(stores, lambda: opened("job run", home, purpose=purpose))
        report = run_script(stores, script, told, where, standing.progress(bars))
        standing.finish()
    _write(report.result, chosen, out)
    kept = report.buckets - report.mapped
    complain(f"{report.mapped} buckets mapped, {kept} kept from before, {report.seconds:.1f} s")


def _pair(text: str) -> tuple[str, str]:
    from xinglin.core.errors import UsageError

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError("a parameter is NAME=VALUE", source=text)
    return name, value


def _write(result: Any, form: str, out: Path | None) -> None:
    if form == "parquet":
        import pyarrow.parquet as parquet

        parquet.write_table(result, out, compression="zstd")
    elif out is None:
        print_rows(result.column_names, _rows(result), form)
    else:
        with out.open("w", encoding="utf-8", newline="") as file:
            print_rows(result.column_names, _rows(result), form, file)


def _rows(result: Any) -> Iterator[tuple[Any, ...]]:
    for batch in result.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
