"""How the demo tells what it found."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from xinglin.cli.governance.ledger import tell_anchors
from xinglin.cli.opening import opened
from xinglin.cli.show import print_json, print_table, progress_bars, say
from xinglin.flows.demo import Demo

__all__ = ["show_demo"]

_WRITTEN = {
    "fhir": "FHIR",
    "fhir+dicom": "FHIR and DICOM",
    "hl7v2": "HL7 v2",
    "csv": "CSV in GB18030",
    "database": "an SQLite database",
}


def show_demo(out: Path, *, persons: int, seed: int, form: str, as_json: bool) -> None:
    """Play the demo in `out` and print its findings.

    Args:
        out: Folder for generated files, the region and the plot; what an earlier demo left there is replaced.
        persons: Persons to generate.
        seed: Same seed, same region.
        form: institutional (each institution in its own format) or fhir.
        as_json: Print one JSON object.
    """
    from xinglin.core.errors import UsageError
    from xinglin.flows.demo import generate_region, play
    from xinglin.wiring import anchor_region

    out = out.absolute()
    if out.exists() and any(out.iterdir()) and not (out / "home" / "xinglin.toml").is_file():
        raise UsageError("the folder holds something else", source=str(out), remedy="name an empty one with --out")
    begin = time.perf_counter()
    if (out / "home").exists():
        # What an earlier demo left is removed only by who may work on it.
        opened("demo", out / "home")
    for part in ("files", "home"):
        shutil.rmtree(out / part, ignore_errors=True)
    stores = opened("demo", out / "home", create=True)
    with progress_bars(as_json) as bars:
        generate_region(out / "files", persons, seed, form, bars)
        generated = time.perf_counter() - begin
        found = play(stores, out / "files", out / "stroke.png", bars)
    anchored = anchor_region(stores)
    found.seconds["generate"] = generated
    found.seconds["all"] = time.perf_counter() - begin
    if as_json:
        print_json(
            {
                "institutions": found.spoken,
                "images": found.images,
                "linkage": found.linkage,
                "commonest": found.commonest,
                "stroke": found.stroke,
                "seconds": found.seconds,
            }
        )
    else:
        _tell(out, found)
        tell_anchors(anchored)
        say(f'Ask on: xinglin sql "SELECT …" --home {out / "home"}')


def _tell(out: Path, found: Demo) -> None:
    columns = ["institution", "writes", "received", "= landed", "+ duplicate", "+ quarantined"]
    rows: list[tuple[object, ...]] = [
        (one.site, _WRITTEN.get(one.writes, one.writes), one.received, one.landed, one.duplicate, one.quarantined)
        for one in found.spoken
    ]
    whole = ("all", "", *(sum(int(str(row[place])) for row in rows) for place in range(2, 6)))
    print_table("Records received, and what became of them", columns, [*rows, whole], total=True)
    images = found.images
    if images.instances:
        say(f"Images: {images.studies} imaging studies, {images.imaged} of them with {images.instances} images.")
    linkage = found.linkage
    print_table(
        "Persons",
        ["patient records", "persons after linking", "persons in truth", "precision", "recall", "false merges"],
        [
            (
                linkage.records, linkage.persons_found, linkage.persons_true, linkage.precision, linkage.recall,
                linkage.false_merges,
            )
        ],
    )  # fmt: skip
    say(f"Of the records, {linkage.trapped} are of people who look alike: families, twins, newborns, unidentified.")
    print_table("The ten commonest conditions", ["condition", "code", "persons"], found.commonest)
    columns = ["hypertension", "persons", "person-years", "first strokes", "per 1,000 person-years", "95 % limits"]
    strokes = [
        (
            "yes" if row["hypertension"] else "no",
            row["persons"],
            round(row["person_years"]),
            row["strokes"],
            f"{row['per_1000_years']:.2f}",
            f"{row['low']:.2f} to {row['high']:.2f}",
        )
        for row in found.stroke
    ]
    print_table("First stroke by hypertension", columns, strokes)
    summary = found.run.checked.summary()
    say(f"Quality: {summary['passed']} checks passed, {summary['failed']} failed, {summary['blocking']} of them block.")
    say("Seconds: " + ", ".join(f"{name} {value:.1f}" for name, value in found.seconds.items()))
    say(f"Plot: {found.plot}" if found.plot else "Plot: install xinglin[plot] to have it drawn.")
