"""Commands on the mart: vocabulary, build, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xinglin.cli.app import Home, Json, Master, RunnerChoice, command_group
from xinglin.cli.governance.ledger import tell_anchors
from xinglin.cli.opening import opened
from xinglin.cli.show import complain, print_json, print_table, progress_bars, say

__all__: list[str] = []

mart = command_group("mart", "MDataMart: OMOP CDM 5.4, built from what was landed and linked.")
vocabulary = command_group("vocabulary", "Standard vocabularies: OHDSI Athena downloads.")


@mart.command("build")
def build(
    full: Annotated[bool, typer.Option(help="Build every bucket again, not only those that changed.")] = False,
    runner: RunnerChoice = None,
    master: Master = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Build the mart; without --full only what changed since the last build."""
    from xinglin.admission.renewal import Standing
    from xinglin.flows.stages.run import build as build_mart
    from xinglin.wiring import anchor_region, open_runner

    stores = opened("mart build", home)
    with open_runner(stores.settings, runner, master) as where, progress_bars(as_json) as bars:
        standing = Standing(stores, lambda: opened("mart build", home))
        report = build_mart(stores, full=full, progress=standing.progress(bars), runner=where)
    anchored = anchor_region(stores)
    if as_json:
        print_json(report)
        return
    print_table("Mart", ["table", "rows"], sorted(report.rows.items()))
    say(f"{report.units_done} of {report.units_total} files, {report.buckets_done} buckets, {report.seconds:.1f} s")
    tell_anchors(anchored)


@mart.command("check")
def check(
    failing: Annotated[Path | None, typer.Option(help="Write the failing rows to this CSV.")] = None,
    all_checks: Annotated[bool, typer.Option("--all", help="Show passed checks too.")] = False,
    explain: Annotated[bool, typer.Option(help="Explain each failed check, with the keys of its rows.")] = False,
    runner: RunnerChoice = None,
    master: Master = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check conformance, completeness and plausibility; exit 1 when a blocking check fails."""
    from xinglin.flows.stages.run import check as check_mart
    from xinglin.wiring import open_runner

    stores = opened("mart check", home)
    with open_runner(stores.settings, runner, master) as where:
        report = check_mart(stores, runner=where)
    if failing:
        failing.write_text(report.failing_csv(), encoding="utf-8")
    if as_json:
        print_json(report.to_json())
    else:
        columns, rows = report.table(everything=all_checks)
        print_table("Quality checks", columns, rows)
        for text in report.explanations() if explain else ():
            say(text)
        summary = report.summary()
        counts = f"{summary['passed']} passed, {summary['failed']} failed, {summary['waived']} waived"
        say(f"{counts}, {summary['blocking']} block")
    if report.blocking:
        complain(f"blocking: {', '.join(report.blocking)}")
        raise typer.Exit(1)


@mart.command("waive")
def waive(
    name: Annotated[str, typer.Argument(metavar="CHECK", help="Name of the check as `mart check` prints it.")],
    threshold: Annotated[float, typer.Option(help="Largest share of failing rows to accept, 0 to 1.")],
    until: Annotated[str, typer.Option(metavar="DAY", help="Last day on which the waiver counts: 2027-01-31.")],
    why: Annotated[str, typer.Option(help="The reason.")],
    by: Annotated[str, typer.Option(help="Name of the person who accepts it.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Accept that a quality check fails up to a share and a day; kept in xinglin.toml and in the access log."""
    from datetime import date

    from xinglin.core.errors import UsageError
    from xinglin.core.waiver import Waiver
    from xinglin.flows.stages.run import waive as add_waiver

    try:
        last = date.fromisoformat(until)
    except ValueError:
        raise UsageError("not a day", source="--until", remedy="write it as 2027-01-31") from None
    waiver = Waiver(name, threshold, by, last, why)
    add_waiver(opened("mart waive", home), waiver)
    if as_json:
        print_json(waiver)
        return
    say(f"waived: {name} up to {threshold:.2%} until {until}")


@vocabulary.command("load")
def load(
    path: Annotated[Path, typer.Argument(help="Folder or zip of an Athena download (CONCEPT.csv and its siblings).")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Load standard vocabularies; the next build maps every code again."""
    from xinglin.mart import load_vocabulary

    stores = opened("vocabulary load", home, create=True)
    report = load_vocabulary(stores.lake, path, memory_mb=stores.settings.memory_mb)
    if as_json:
        print_json(report)
    else:
        print_table("Vocabulary", ["table", "rows"], sorted(report.rows.items()))
        say(f"{report.codes:,} codes lead to a standard concept.")
        say("Next: xinglin run")
