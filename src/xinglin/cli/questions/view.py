"""Views: SQL on FHIR ViewDefinitions, checked, shown as SQL, run, and held to the official suite."""

from __future__ import annotations

import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, Purpose, command_group
from xinglin.cli.opening import classes_named, opened, outside
from xinglin.cli.show import complain, print_json, print_table, say

if TYPE_CHECKING:
    import duckdb

    from xinglin.flows.questions.view import FileRecords
    from xinglin.views import CompiledView

__all__ = ["view"]

view = command_group("view", "SQL on FHIR ViewDefinitions: check, show, run.")
View = Annotated[Path, typer.Argument(metavar="VIEW.json", help="A ViewDefinition (SQL on FHIR v2).")]
_SHOWN = 200


class ViewFormat(StrEnum):
    """How a view's rows are given."""

    table = "table"
    ndjson = "ndjson"
    csv = "csv"
    parquet = "parquet"


@view.command("run")
def run_view(
    path: View,
    source: Annotated[
        Path | None, typer.Option("--from", help="A file or folder of FHIR: NDJSON, JSON or Bundles, plain or packed.")
    ] = None,
    lake: Annotated[
        bool, typer.Option("--lake", help="The current versions of the region's landed resources.")
    ] = False,
    form: Annotated[
        ViewFormat, typer.Option("--format", help="table (first 200 rows), ndjson, csv or parquet.")
    ] = ViewFormat.table,
    out: Annotated[Path | None, typer.Option(help="Write to this file (needed for parquet).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Rows as NDJSON; with --out, what was done.")] = False,
    purpose: Purpose = None,
    home: Home = None,
) -> None:
    """Run a view; its rows hold what the records say, names included."""
    from xinglin.core.errors import UsageError
    from xinglin.flows.questions.view import FileRecords, landed_source, read_view
    from xinglin.identity.names import records_without
    from xinglin.lake import connect

    if (source is None) != lake:
        raise UsageError("a view reads from one place", remedy="add either --from PATH or --lake")
    compiled = read_view(path)
    _warn(compiled)
    if source is None:
        stores = opened("view run", home, purpose=purpose, data_classes=classes_named(compiled.resource))
        files = stores.landing.files(compiled.resource)
        without = records_without(stores.lake, [str(file.path) for file in files])
        sql = compiled.sql(landed_source(files, without))
        settings = stores.settings
        connection = connect(settings.memory_mb, settings.workers, settings.home / "tmp")
        before = os.umask(0o077)
        try:
            # What is written of records is for whoever asked, not for everybody on the machine.
            _give(connection, sql, form, out, as_json)
        finally:
            os.umask(before)
        return
    outside(source)
    records = FileRecords(source, compiled.resource)
    with TemporaryDirectory() as folder:
        # The records are read in the interpreter, so a second thread of the engine would only wait.
        connection = connect(memory_mb=900, threads=1, temp=Path(folder))
        connection.register("resources", records.batches())
        _give(connection, compiled.sql(), form, out, as_json, records)
    if records.refused:
        _complain_of(records)
        raise typer.Exit(1)


@view.command("check")
def check_view(path: View, as_json: Json = False) -> None:
    """Check a view and list its columns."""
    from xinglin.flows.questions.view import read_view

    compiled = read_view(path)
    columns = [
        {"name": column.name, "type": column.type, "collection": column.collection, "sql_type": column.sql_type}
        for column in compiled.columns
    ]
    if as_json:
        print_json({"resource": compiled.resource, "columns": columns, "warnings": list(compiled.warnings)})
        return
    print_table(f"One view of {compiled.resource}", ["column", "FHIR type", "list", "SQL type"],
                [list(column.values()) for column in columns])  # fmt: skip
    _warn(compiled)


@view.command("sql")
def show_sql(path: View, as_json: Json = False) -> None:
    """Show the query a view becomes; it reads a relation "resources" with the columns site and resource."""
    from xinglin.flows.questions.view import read_view

    compiled = read_view(path)
    if as_json:
        print_json({"resource": compiled.resource, "sql": compiled.sql()})
    else:
        say(compiled.sql())
        _warn(compiled)


@view.command("suite")
def run_official_suite(
    folder: Annotated[Path, typer.Argument(help="The suite's folder of JSON files.")],
    out: Annotated[Path | None, typer.Option(help="Write the report, in the suite's own format, to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report.")] = False,
) -> None:
    """Run the official test suite of SQL on FHIR v2."""
    import json

    from xinglin.core.errors import NotFound
    from xinglin.views import run_suite

    report = run_suite(folder)
    results = [(file, test) for file, content in report.items() for test in content["tests"]]
    if not results:
        raise NotFound("there are no test files here", source=str(folder))
    if out is not None:
        out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    failed = [f"{file}: {test['name']}" for file, test in results if not test["result"]["passed"]]
    if as_json:
        print_json(report)
    else:
        say(f"{len(results) - len(failed)} of {len(results)} passed")
    for name in failed:
        complain(f"failed: {name}")
    if failed:
        raise typer.Exit(1)


def _give(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    form: ViewFormat,
    out: Path | None,
    as_json: bool,
    files: FileRecords | None = None,
) -> None:
    from xinglin.core.errors import UsageError
    from xinglin.flows.questions.view import write_view

    chosen = "ndjson" if form is ViewFormat.table and (as_json or out) else form.value
    if chosen == "parquet" and out is None:
        raise UsageError("Parquet needs a file", remedy="add --out FILE.parquet")
    if chosen == "table":
        _show(connection, sql, whole=files is not None)
    elif out is not None:
        rows = write_view(connection, sql, chosen, out)
        if as_json:
            print_json({"rows": rows, "file": out, **_account(files)})
        else:
            say(f"{rows:,} rows in {out}")
    else:
        with TemporaryDirectory() as folder:
            write_view(connection, sql, chosen, Path(folder, "rows"))
            with Path(folder, "rows").open(encoding="utf-8", newline="") as file:
                shutil.copyfileobj(file, sys.stdout)


def _show(connection: duckdb.DuckDBPyConnection, sql: str, whole: bool) -> None:
    """The first rows; files are read to their end all the same, so that every bad record is told."""
    from xinglin.views import fetch

    if whole:
        fetch(connection, f"CREATE TEMP TABLE found AS {sql}")
        sql = "FROM found"
    names, rows = fetch(connection, f"SELECT * FROM ({sql}) LIMIT {_SHOWN + 1}")
    print_table("", names, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        complain(f"only the first {_SHOWN} rows are shown; --format csv gives all")


def _account(files: FileRecords | None) -> dict[str, Any]:
    if files is None:
        return {}
    return {"read": files.read, "others": files.others, "refused": dict(files.refused), "listed": files.listed}


def _complain_of(files: FileRecords) -> None:
    for one in files.listed:
        complain(f"{one.file}, record {one.position}: {one.reason}, {one.detail}")
    complain(f"{sum(files.refused.values()):,} records could not be read and are in no row")


def _warn(compiled: CompiledView) -> None:
    for warning in compiled.warnings:
        complain(f"warning: {warning}")
