"""Commands on record linkage: links, the review queue, decisions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer

from xinglin.cli.app import Home, Json, command_group
from xinglin.cli.opening import opened
from xinglin.cli.show import print_json, print_table, say

__all__: list[str] = []

identity = command_group("identity", "Record linkage: links, the review queue, merging and splitting persons.")

First = Annotated[str, typer.Argument(metavar="SITE/ID", help="A patient record: site and local id.")]
Second = Annotated[str, typer.Argument(metavar="SITE/ID", help="The other patient record.")]
Who = Annotated[str, typer.Option(help="Name of the person who decides.")]
Why = Annotated[str, typer.Option(help="Reason; stored in the history.")]


class LinksFormat(StrEnum):
    """Output formats of links."""

    table = "table"
    csv = "csv"
    json = "json"


@identity.command("links")
def links(
    form: Annotated[LinksFormat, typer.Option("--format", help="Output format.")] = LinksFormat.table,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List every patient record with its site, local id, person_id and match probability."""
    from xinglin.cli.questions.sql import print_rows
    from xinglin.identity import person_links

    columns, rows = person_links(opened("identity links", home).lake)
    print_rows(columns, rows, "json" if as_json else form.value)


@identity.command("review")
def review(
    limit: Annotated[int, typer.Option(help="Maximum number of pairs.")] = 50,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the pairs that wait for review, by match probability, with the fields that agree and differ."""
    from xinglin.identity import waiting_pairs

    columns, rows = waiting_pairs(opened("identity review", home).lake, limit)
    if as_json:
        print_json({"review": [dict(zip(columns, row, strict=True)) for row in rows]})
    elif rows:
        print_table("Pairs that wait for review", columns, rows)
        say("Next: xinglin identity merge (or split) SITE/ID SITE/ID --who NAME --why REASON")
    else:
        say("No pairs wait for review.")


@identity.command("why")
def why(first: First, second: Second, home: Home = None, as_json: Json = False) -> None:
    """Explain why two records are or are not one person: every weight, every rule, in words and without values."""
    from dataclasses import asdict

    from xinglin.identity import explain

    found = explain(opened("identity why", home).lake, first, second)
    if as_json:
        print_json(asdict(found))
        return
    say(f"{first} and {second}: {found.verdict}.")
    if found.weights:
        rows = [(one.of, one.finding, f"{one.bits:+.2f}", one.note) for one in found.weights]
        rows.append(
            ("sum", f"probability {found.probability:.6f}; linked from {found.needed:.6f}", f"{found.total:+.2f}", "")
        )
        print_table("Weights in bits (+1 doubles the odds of one person)", ["of", "finding", "bits", "note"], rows)
    if found.contradictions:
        print_table("Contradictions", ["rule", "effect", "meaning"], list(found.contradictions))
    if found.path:
        say(f"Joined through: {', '.join(found.path)}")


@identity.command("systems")
def systems(home: Home = None, as_json: Json = False) -> None:
    """List identifier systems with figures: which numbers name a person everywhere, and which one institution only."""
    from xinglin.identity import identifier_systems

    columns, rows = identifier_systems(opened("identity systems", home).lake)
    if as_json:
        print_json({"systems": [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        print_table("Identifier systems", columns, rows)


@identity.command("merge")
def merge(first: First, second: Second, who: Who, why: Why, home: Home = None, as_json: Json = False) -> None:
    """Decide that two records belong to the same person; takes effect with the next `xinglin run`."""
    _decide("merge", (first, second), (who, why), home, as_json)


@identity.command("split")
def split(first: First, second: Second, who: Who, why: Why, home: Home = None, as_json: Json = False) -> None:
    """Decide that two records belong to different persons; takes effect with the next `xinglin run`."""
    _decide("split", (first, second), (who, why), home, as_json)


@identity.command("history")
def history(home: Home = None, as_json: Json = False) -> None:
    """List the decisions: who, when, why."""
    from xinglin.identity import decisions

    columns, rows = decisions(opened("identity history", home).lake)
    if as_json:
        print_json({"decisions": [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        print_table("Decisions", columns, rows)


def _decide(
    action: Literal["merge", "split"], records: tuple[str, str], by: tuple[str, str], home: Home, as_json: bool
) -> None:
    from xinglin.identity import decide

    stores = opened(f"identity {action}", home)
    number = decide(stores.lake, action, *records, who=by[0], why=by[1], clock=stores.clock)
    if as_json:
        print_json({"decision": number, "action": action})
    else:
        say(f"Decision {number} saved. Next: xinglin run")
