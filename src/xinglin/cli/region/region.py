"""Commands that make things: a demo, an empty region, a generated one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xinglin.cli.app import Json, app, command_group
from xinglin.cli.show import print_json, print_table, progress_bars, say

__all__: list[str] = []


class Formats(StrEnum):
    """How generated institutions write."""

    institutional = "institutional"
    fhir = "fhir"


Form = Annotated[
    Formats,
    typer.Option("--formats", help="institutional: FHIR and DICOM, HL7 v2, CSV in GB18030, a database; or all FHIR."),
]

region = command_group("region", "A made-up region with its truth, to work and measure on.")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the generated files, the region and the plot.")] = Path("demo"),
    persons: Annotated[int, typer.Option(help="Persons to generate.", min=50)] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same region.")] = 1,
    form: Form = Formats.institutional,
    as_json: Json = False,
) -> None:
    """Create a demo region on this machine: generate, ingest, link, build, check, query."""
    from xinglin.cli.region.demo import show_demo

    show_demo(out, persons=persons, seed=seed, form=form.value, as_json=as_json)


@app.command()
def init(
    home: Annotated[Path | None, typer.Argument(help="Folder of the new region.")] = None,
    buckets: Annotated[int, typer.Option(help="Person buckets: more for a larger region.", min=1, max=4096)] = 8,
    lake: Annotated[str, typer.Option(help="s3: or hdfs: URL of the lake; a folder of the region otherwise.")] = "",
    as_json: Json = False,
) -> None:
    """Create an empty region: settings, keys, lake."""
    from xinglin.core.settings import default_home
    from xinglin.wiring import init_region

    settings = init_region((home or default_home()).absolute(), buckets, lake)
    if as_json:
        print_json({"home": settings.home, "buckets": settings.buckets, "lake": settings.storage.url or settings.lake})
    else:
        say(f"The region lives in {settings.home} ({settings.buckets} person buckets).")
        if settings.storage.url:
            say(f"Its tables go to {settings.storage.url}.")
        say(f"Next: xinglin ingest PATH --site NAME --home {settings.home}")


@region.command("generate")
def generate_region(
    out: Annotated[Path, typer.Argument(help="Folder to write; one folder an institution, the truth beside them.")],
    persons: Annotated[int, typer.Option(help="Persons living through the years.", min=1)] = 2000,
    institutions: Annotated[int, typer.Option(help="Institutions; the four kinds take turns.", min=1)] = 4,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    form: Form = Formats.institutional,
    images: Annotated[
        int | None, typer.Option(help="Head studies that get DICOM objects; 24, or none where all write FHIR.", min=0)
    ] = None,
    patients_only: Annotated[bool, typer.Option(help="Only Patient records, for linkage at scale.")] = False,
    as_json: Json = False,
) -> None:
    """Generate persons, their lives and their records at several institutions."""
    from xinglin.synthetic import RegionPlan, generate, institutional

    own = form is Formats.institutional
    plan = RegionPlan(
        persons=persons,
        institutions=institutions,
        seed=seed,
        patients_only=patients_only,
        formats=institutional(institutions) if own else (),
        images=(24 if own else 0) if images is None else images,
    )
    with progress_bars(as_json) as bars:
        report = generate(plan, out, (lambda done, total: bars("generate", done, total)) if bars else None)
    if as_json:
        print_json(report)
    else:
        rows = [(f"FHIR {name}", count) for name, count in sorted(report.resources.items())]
        rows += sorted(report.records.items())
        rows += [("DICOM objects", report.images)] if report.images else []
        print_table(f"Written to {out}", ["what", "records"], [*rows, ("all", report.total)], total=True)
