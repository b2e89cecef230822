"""Extracts: tables that leave the region."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xinglin.cli.app import Home, Json, Purpose, app
from xinglin.cli.opening import opened
from xinglin.cli.show import print_json, say

__all__: list[str] = []


@app.command()
def extract(
    question: Annotated[str, typer.Argument(help="One SELECT, in DuckDB's SQL, over OMOP CDM 5.4 tables.")],
    project: Annotated[str, typer.Option(help="For whom; every project gets pseudonyms of its own.")],
    out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv; its risk report is written beside it.")],
    smallest: Annotated[int, typer.Option(help="Smallest number of persons in a cell or behind a local code.")] = 5,
    birth_years: Annotated[int, typer.Option(help="Birth-year band width, in years.")] = 1,
    quasi: Annotated[str | None, typer.Option(help="Quasi-identifiers, by commas; else found by their names.")] = None,
    sensitive: Annotated[str | None, typer.Option(help="The sensitive column; else found by its name.")] = None,
    most_risk: Annotated[float, typer.Option(help="Maximum re-identification risk of one person.")] = 0.2,
    drop_risky: Annotated[bool, typer.Option(help="Exclude persons with a higher risk.")] = False,
    accept_risk: Annotated[
        str | None, typer.Option(help="Let a higher risk through, for this reason; it stands in the report.")
    ] = None,
    dates: Annotated[
        str | None, typer.Option(help="Count dates as quasi-identifiers: known to the day, month or year.")
    ] = None,
    purpose: Purpose = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Export a de-identified table: pseudonyms, shifted dates, no small cells, and a report of its risk."""
    from xinglin.flows.questions.extract import extract as take_out
    from xinglin.release import Request
    from xinglin.release.views import Rules

    stores = opened("extract", home, purpose=purpose)
    rules = Rules(smallest, stores.clock().year, birth_years, stores.lake.permit.without)
    request = Request(
        question,
        project,
        rules,
        tuple(name.strip() for name in quasi.split(",") if name.strip()) if quasi is not None else None,
        sensitive,
        most_risk,
        accept_risk,
        drop_risky,
        dates,
    )
    report = take_out(stores, request, out)
    if as_json:
        print_json(report)
        return
    say(out.with_name(f"{out.name}.risk.txt").read_text("utf-8").rstrip())
    say(f"\n{report['rows']:,} rows in {out}; the report is {out.name}.risk.json")
