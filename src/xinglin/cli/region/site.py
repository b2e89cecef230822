"""Commands about the institutions whose records are gathered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xinglin.cli.app import Home, Json, command_group
from xinglin.cli.opening import opened
from xinglin.cli.records.stages import Format
from xinglin.cli.show import print_json, print_table, say

__all__: list[str] = []

site = command_group("site", "The institutions whose records are gathered.")

Inbox = Annotated[
    str | None,
    typer.Option(help="Folder, file or database URL that `xinglin run` ingests from; ${NAME} stands for a password."),
]
Form = Annotated[Format | None, typer.Option("--format", help="Format of what it sends.")]
Mapping = Annotated[Path | None, typer.Option(help="YAML file: how its columns, or its own HL7 v2, become FHIR.")]


@site.command("add")
def add_site(
    name: Annotated[str, typer.Argument(help="Short name: letters, digits and hyphens.")],
    kind: Annotated[str, typer.Option(help="hospital, health-centre, clinic or exam-centre.")] = "hospital",
    inbox: Inbox = None,
    form: Form = None,
    mapping: Mapping = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Register an institution and make its signing key."""
    from xinglin.flows.stages.sites import set_site

    stores = opened("site add", home, create=True)
    stores.landing.add_site(name, kind)
    added = set_site(stores.landing, name, inbox=inbox, form=form.value if form else None, mapping=mapping)
    if as_json:
        print_json(added)
    else:
        say(f"Site {added.name} ({added.kind}), public key {added.public_key}")


@site.command("set")
def change_site(
    name: Annotated[str, typer.Argument(help="A registered institution.")],
    inbox: Inbox = None,
    form: Form = None,
    mapping: Mapping = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change where an institution's records lie, their format, or the mapping they are read by."""
    from xinglin.flows.stages.sites import set_site

    landing = opened("site set", home).landing
    changed = set_site(landing, name, inbox=inbox, form=form.value if form else None, mapping=mapping)
    if as_json:
        print_json(changed)
    else:
        say(f"Site {name}: format {changed.format}, inbox {changed.inbox or 'none'}")


@site.command("list")
def list_sites(home: Home = None, as_json: Json = False) -> None:
    """List the institutions."""

    sites = opened("site list", home).landing.sites()
    if as_json:
        print_json({"sites": sites})
    else:
        rows = [(one.name, one.kind, one.format, "yes" if one.mapping else "no", one.inbox) for one in sites]
        print_table("Sites", ["site", "kind", "format", "mapping", "inbox"], rows)
