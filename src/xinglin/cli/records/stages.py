"""Commands that move records along: ingest, link, run; and what was moved: status, verify."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, Master, RunnerChoice, app
from xinglin.cli.governance.ledger import opened_ledger, tell_anchors
from xinglin.cli.opening import landing_of, opened
from xinglin.cli.show import complain, plain, print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from xinglin.admission import Stores

__all__ = ["print_counts"]


class Format(StrEnum):
    """Formats that can be ingested."""

    auto = "auto"
    fhir = "fhir"
    hl7v2 = "hl7v2"
    tabular = "tabular"
    dicom = "dicom"


@app.command()
def ingest(
    path: Annotated[
        str,
        typer.Argument(
            help="File or folder of FHIR, HL7 v2, tables or DICOM (plain, .gz, .zst, .zip), or the URL of a database, "
            "in which ${NAME} stands for an environment variable."
        ),
    ],
    site: Annotated[str, typer.Option(help="The institution that sent it.")],
    kind: Annotated[str, typer.Option(help="Kind of the institution, where it is new.")] = "unspecified",
    form: Annotated[
        Format | None, typer.Option("--format", help="auto looks at the content; else as registered for the site.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="YAML file: how columns, or the site's own HL7 v2, become FHIR.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Land a file or folder of one site as one signed batch; the same file twice lands once."""
    from xinglin.admission.renewal import Standing
    from xinglin.flows.stages.run import ingest as land
    from xinglin.flows.stages.sites import ensure_site, reading_of
    from xinglin.wiring import anchor_region

    said: dict[str, Any] = {"sites": frozenset([site])}
    stores = opened("ingest", home, create=True, writes=landing_of(home, [site]), **said)
    ensure_site(stores.landing, site, kind)
    reading = reading_of(stores.landing, site, form.value if form else None, mapping)
    with progress_bars(as_json) as bars:
        standing = Standing(stores, lambda: opened("ingest", home, writes=landing_of(home, [site]), **said))
        report = land(stores, path, site, standing.progress(bars), reading=reading)
    anchored = anchor_region(stores)
    if as_json:
        print_json(report)
        return
    batch = f"batch {report.batch}" if report.batch else "no batch"
    print_counts(f"{site}: {batch} in {report.seconds:.1f} s", [report])
    tell_anchors(anchored)
    if report.unknown_elements:
        named = ", ".join(f"{name} ({count})" for name, count in list(report.unknown_elements.items())[:10])
        say(f"Elements that FHIR R4 does not know, landed but not used: {named}")
    if report.quarantined:
        say(f"Next: list the quarantined records with xinglin quarantine --site {site}")


def print_counts(title: str, reports: list[Any]) -> None:
    """The closing table: received = landed + duplicate + quarantined per site."""
    rows = [(one.site, one.received, one.landed, one.duplicate, one.quarantined) for one in reports]
    whole = ("all", *(sum(row[column] for row in rows) for column in range(1, 5)))
    columns = ["site", "received", "= landed", "+ duplicate", "+ quarantined"]
    print_table(title, columns, [*rows, whole] if len(rows) > 1 else rows, total=len(rows) > 1)


@app.command()
def quarantine(
    site: Annotated[str, typer.Option(help="The institution.")],
    limit: Annotated[int, typer.Option(help="Maximum number of records.")] = 50,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the records that could not be landed: file, position, reason; never their content."""
    from xinglin.flows.stages.status import quarantined

    rows = quarantined(opened("quarantine", home), site, limit)
    columns = ["batch", "file", "position", "reason", "detail", "bytes"]
    if as_json:
        print_json({"quarantined": [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        print_table(f"Quarantine of {site}", columns, rows)


@app.command()
def link(
    full: Annotated[bool, typer.Option(help="Train the model and link all records again, not only new ones.")] = False,
    runner: RunnerChoice = None,
    master: Master = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Link the patient records of all sites that belong to the same person."""
    from xinglin.admission.renewal import Standing
    from xinglin.flows.stages.run import link as link_patients
    from xinglin.wiring import open_runner

    stores = opened("link", home)
    with open_runner(stores.settings, runner, master) as where, progress_bars(as_json) as bars:
        standing = Standing(stores, lambda: opened("link", home))
        report = link_patients(stores, full=full, progress=standing.progress(bars), runner=where)
    if as_json:
        print_json(report)
    else:
        say(
            f"{report.records:,} records are {report.persons:,} persons; {report.review:,} pairs wait for review "
            f"({report.seconds:.1f} s)"
        )


@app.command("run")
def run_all(
    full: Annotated[bool, typer.Option(help="Process all records again, not only new ones.")] = False,
    runner: RunnerChoice = None,
    master: Master = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run every stage for new records: ingest from inboxes, link, build the mart, check it."""
    from xinglin.admission.renewal import Standing
    from xinglin.flows.stages.run import run
    from xinglin.wiring import anchor_region, open_runner

    stores = opened("run", home)
    with open_runner(stores.settings, runner, master) as where, progress_bars(as_json) as bars:
        standing = Standing(stores, lambda: opened("run", home))
        report = run(stores, full=full, progress=bars, runner=where, standing=standing)
    anchored = anchor_region(stores)
    if as_json:
        print_json({"linked": report.linked, "mart": report.mart, "checks": report.checked.summary()})
    else:
        _print_run(stores, report)
        tell_anchors(anchored)
    if report.checked.blocking:
        complain("a blocking quality check failed: xinglin mart check says which")
        raise typer.Exit(1)


def _print_run(stores: Stores, report: Any) -> None:
    linked, mart = report.linked, report.mart
    say(f"linked  {linked.records:,} records -> {linked.persons:,} persons, {linked.review:,} wait for review")
    say(f"mart    {mart.units_done} of {mart.units_total} files, {mart.buckets_done} buckets in {mart.seconds:.1f} s")
    summary = report.checked.summary()
    say(f"checks  {summary['passed']} passed, {summary['failed']} failed, {summary['blocking']} of them block")
    if summary["failed"] > summary["blocking"]:
        complain("warning: quality checks failed that do not block: xinglin mart check --explain")
    if mart.excluded:
        rows = sorted(mart.excluded.items(), key=lambda item: -item[1])
        print_table("Resources that gave no row, and why", ["reason", "resources"], rows)
    sites = [type("Counts", (), one) for one in _status(stores)["sites"]]
    print_counts("Every record received and what became of it", sites)


def _status(stores: Stores) -> dict[str, Any]:
    from xinglin.flows.stages.status import status

    return status(stores)


@app.command("status")
def show_status(home: Home = None, as_json: Json = False) -> None:
    """What the region holds: records per site, persons, rows per table."""
    content = _status(opened("status", home))
    if as_json:
        print_json(content)
        return
    print_counts("Sites", [type("Counts", (), one) for one in content["sites"]])
    say(f"{content['persons']:,} persons; {content['review']:,} pairs wait for review")
    print_table("Tables", ["table", "rows"], list(content["tables"].items()))


@app.command()
def verify(
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    row: Annotated[str | None, typer.Option(help="Prove one mart row: TABLE:ID.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Verify every hash and signature; or prove one mart row down to its signed batch and the ledger."""
    from xinglin.flows.evidence.verify import prove_row, verify_all

    stores = opened("verify", home)
    if row:
        proof = prove_row(stores, row) | _on_ledger(stores, row)
        if as_json:
            print_json(proof)
        else:
            print_table(f"Proof of {row}", ["step", "value"], [(key, plain(value)) for key, value in proof.items()])
        return
    with progress_bars(as_json) as bars:
        report = verify_all(stores, site, bars)
    ledger = _compared(stores, site)
    if as_json:
        print_json({**vars(report), "ledger": ledger})
        return
    say(f"{report.batches:,} batches, {report.files:,} files, {report.resources:,} resources match their signatures")
    if report.erased:
        say(f"{report.erased:,} of the resources were erased, as signed tombstones say")
    if "unavailable" in ledger:
        say(f"not compared with the ledger: {ledger['unavailable']}")
    else:
        waiting = f", {ledger['waiting']:,} wait to be anchored" if ledger["waiting"] else ""
        matching = "1 batch matches" if ledger["anchored"] == 1 else f"{ledger['anchored']:,} batches match"
        say(f"{matching} the ledger{waiting}")
        say(f"ledger block {ledger['height']}, app_hash {ledger['app_hash']}, by {ledger['by']}")


def _compared(stores: Stores, site: str | None) -> dict[str, Any]:
    """How the batches stand on the ledger, and who vouches for it."""
    from xinglin.core.errors import NotFound, StorageError
    from xinglin.flows.evidence.verify import verify_anchors
    from xinglin.ledger.proofs.trust import open_anchor
    from xinglin.wiring import open_prover

    try:
        with opened_ledger(stores.settings.home) as (settings, ledger):
            prover, trust = open_prover(settings, ledger)
            anchored = open_anchor(prover.anchor.content, trust)
            found = {**vars(verify_anchors(stores, ledger, site)), "height": anchored.height}
            return {**found, "app_hash": anchored.app_hash.hex(), "by": anchored.by}
    except (NotFound, StorageError) as error:
        return {"unavailable": error.what}


def _on_ledger(stores: Stores, row: str) -> dict[str, Any]:
    """The last steps of a row's proof: from the signed batch to whoever signed for the ledger."""
    from xinglin.core.errors import NotFound, StorageError
    from xinglin.flows.evidence.prove import row_on_ledger
    from xinglin.wiring import open_prover

    try:
        with opened_ledger(stores.settings.home) as (settings, ledger):
            return row_on_ledger(*open_prover(settings, ledger), stores, ledger, row)
    except (NotFound, StorageError) as error:
        return {"anchored": f"no: {error.what}"}
