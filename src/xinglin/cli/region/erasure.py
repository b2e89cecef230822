"""Erasure of a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xinglin.cli.app import Home, Json, app
from xinglin.cli.opening import opened
from xinglin.cli.show import counted, print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from xinglin.flows.upkeep.erase import ErasureReport

__all__: list[str] = []


@app.command()
def erase(
    person: Annotated[int | None, typer.Option(help="person_id, as in the mart.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it is signed and kept, so it must not name the person.")] = "",
    resume: Annotated[bool, typer.Option(help="Finish an erasure that was interrupted.")] = False,
    again: Annotated[bool, typer.Option(help="Erase persons again who came back with an old backup.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Erase a person from batches, salts, consents, identity and mart; signed tombstones say what is gone."""
    from xinglin.cli.governance.ledger import tell_anchors
    from xinglin.flows.upkeep.erase import erase as erase_person
    from xinglin.flows.upkeep.erase import erase_again
    from xinglin.wiring import anchor_region

    if again:
        stores = opened("erase", home)
        with progress_bars(as_json) as bars:
            reports = erase_again(stores, bars)
        anchor_region(stores)
        print_json(reports) if as_json else say(f"{counted(len(reports), 'person')} erased again")
        return
    person = _who(person, resume, home)
    stores = opened("erase", home, person=person)
    with progress_bars(as_json) as bars:
        report = erase_person(stores, person, reason, bars)
    anchored = anchor_region(stores)
    if as_json:
        print_json(report)
        return
    columns = ["site", "tombstone", "resources", "set aside", "originals gone", "cut", "pieces", "waiting"]
    rows = [
        (one.site, one.tombstone, one.resources, one.quarantined, one.originals, one.redacted, one.pieces, one.waiting)
        for one in report.sites
    ]
    print_table("Erased", columns, rows)
    say(
        f"{report.salts} salts and {report.consents} consents destroyed; {report.identity} rows of identity and"
        f" {report.files} files of the lake deleted; identity and mart were built without the person"
    )
    others = sum(one.others for one in report.sites)
    if others:
        say(f"{others} resources about other persons mention this one and were left as they are")
    _tell_losses(report)
    tell_anchors(anchored)


def _tell_losses(report: ErasureReport) -> None:
    """What others lose, and where nobody could look."""
    lost = sum(one.lost for one in report.sites)
    if lost:
        say(
            f"{lost} records about other persons stood in originals that cannot be cut: they stay landed, their"
            " originals are gone"
        )
    unread = sum(one.unread for one in report.sites)
    if unread:
        say(f"{unread} members of archives cannot be looked into (encrypted, damaged, nested) and were left")


def _who(person: int | None, resume: bool, home: Path | None) -> int:
    """The person that is named, or whose erasure was begun."""
    from xinglin.core.errors import NotFound, UsageError
    from xinglin.core.settings import Settings, default_home
    from xinglin.flows.upkeep.erase import under_way

    begun = under_way(Settings.load((home or default_home()).absolute()).keys) if resume else None
    if resume and begun is None:
        raise NotFound("no erasure was interrupted", source="--resume")
    found = begun if resume else person
    if found is None:
        raise UsageError("no person_id", source="--person", remedy="add --person ID; see: xinglin identity links")
    return found
