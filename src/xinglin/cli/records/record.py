"""The command that gives one person's record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from xinglin.cli.app import Home, Purpose, app
from xinglin.cli.opening import opened
from xinglin.cli.show import complain, print_json, say

__all__: list[str] = []


@app.command()
def record(
    person: Annotated[int, typer.Option(help="person_id of the person.")],
    data_class: Annotated[
        list[str] | None,
        typer.Option("--class", help="Only this kind: a FHIR resource type or a sensitivity label. Repeatable."),
    ] = None,
    purpose: Purpose = None,
    break_glass: Annotated[
        str | None, typer.Option(help="Why this is an emergency: read what no relation and no consent gives.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the Bundle to this file.")] = None,
    home: Home = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --out, what was done; the Bundle is JSON anyway.")
    ] = False,
) -> None:
    """One person's current records from every institution, as a FHIR Bundle: for the person and who treats them."""
    from xinglin.core.files import private_file
    from xinglin.flows.questions.record import bundle, read_record

    classes = frozenset(data_class) if data_class else None
    said: dict[str, Any] = {"person": person, "purpose": purpose, "break_glass": break_glass, "data_classes": classes}
    stores = opened("record", home, **said)
    found = read_record(stores, person)
    if out is None:
        say(bundle(found))
    else:
        private_file(out, (bundle(found) + "\n").encode())
        if as_json:
            print_json({"resources": len(found), "file": out})
        else:
            complain(f"{len(found):,} resources in {out}")
    if break_glass is not None:
        complain("the glass was broken: this is flagged in the log that the person can read")
