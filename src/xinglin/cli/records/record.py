"""The command that exports one person's record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from xinglin.cli.app import Home, Purpose, app
from xinglin.cli.opening import opened
from xinglin.cli.show import complain, counted, print_json, say

__all__: list[str] = []


@app.command()
def record(
    person: Annotated[int, typer.Option(help="person_id of the person.")],
    data_class: Annotated[
        list[str] | None,
        typer.Option("--class", help="Only this FHIR resource type or sensitivity label. Repeatable."),
    ] = None,
    purpose: Purpose = None,
    break_glass: Annotated[
        str | None, typer.Option(help="Reason for break-glass access: an emergency without relation or consent.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the Bundle to this file (mode 600).")] = None,
    home: Home = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --out, print the report as JSON; the Bundle is always JSON.")
    ] = False,
) -> None:
    """Export one person's current resources from all sites as a FHIR Bundle, for the patient and for treatment."""
    from xinglin.core.files import private_file
    from xinglin.flows.questions.record import bundle, read_record

    classes = frozenset(data_class) if data_class else None
    options: dict[str, Any] = {
        "person": person,
        "purpose": purpose,
        "break_glass": break_glass,
        "data_classes": classes,
    }
    stores = opened("record", home, **options)
    resources = read_record(stores, person)
    if out is None:
        say(bundle(resources))
    else:
        private_file(out, (bundle(resources) + "\n").encode())
        if as_json:
            print_json({"resources": len(resources), "file": out})
        else:
            complain(f"{counted(len(resources), 'resource')} written to {out}")
    if break_glass is not None:
        complain("emergency access used (break-glass); it is flagged in the access log, which the patient can read")
