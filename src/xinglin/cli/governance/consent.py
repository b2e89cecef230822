"""Commands on consents: what persons permit and deny, kept here and committed to on the ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json, command_group
from xinglin.cli.opening import opened
from xinglin.cli.show import print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.access.consent.store import StoredConsent

__all__: list[str] = []

consent = command_group("consent", "Consents: what a person permits and denies, for whom, why, how long.")

Person = Annotated[int, typer.Option(help="person_id of the person whose consent it is.")]


@consent.command("grant")
def grant(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A FHIR R4 Consent; else by options.")] = None,
    person: Annotated[int | None, typer.Option(help="person_id of the person whose consent it is.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="Purpose: HRESCH, TREAT, …; all if none.")] = None,
    deny: Annotated[bool, typer.Option("--deny", help="Deny instead of permit.")] = False,
    actor: Annotated[
        list[str] | None, typer.Option(help="Practitioner/ID or Organization/NAME; anybody if none. Repeatable.")
    ] = None,
    data_class: Annotated[
        list[str] | None, typer.Option("--class", help="FHIR resource type or sensitivity; all if none. Repeatable.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; for ever if none.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Store a consent: a permission or a denial that applies to every access decision from now on."""
    from xinglin.access.consent.register import Terms, compose, person_of, read
    from xinglin.wiring import open_consents

    if file is not None:
        resource = read(file)
    else:
        terms = Terms(not deny, tuple(purpose or ()), tuple(actor or ()), tuple(data_class or ()), until)
        resource = compose(person, terms)
    stores = opened("consent grant", home, person=person_of(resource))
    with open_consents(stores.settings) as desk:
        _tell(desk.put(resource), as_json)


@consent.command("withdraw")
def withdraw(
    handle: Annotated[str, typer.Argument(help="The consent, as `xinglin consent list` names it.")],
    person: Person,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Withdraw a consent: it has no effect on decisions from now on."""
    from xinglin.wiring import open_consents

    stores = opened("consent withdraw", home, person=person)
    with open_consents(stores.settings) as desk:
        _tell(desk.withdraw(handle, person), as_json)


@consent.command("list")
def list_consents(person: Person, home: Home = None, as_json: Json = False) -> None:
    """List a person's consents and whether they are on the ledger."""
    from xinglin.wiring import open_consents

    stores = opened("consent list", home, person=person)
    with open_consents(stores.settings) as desk:
        rows = [_plain(kept) for kept in desk.of(person)]
    if as_json:
        print_json({"consents": rows})
    else:
        columns = ["handle", "state", "word", "purposes", "terms"]
        print_table(f"Consents of {person}", columns, [[row[name] for name in columns] for row in rows])


def _tell(kept: StoredConsent, as_json: bool) -> None:
    if as_json:
        print_json(_plain(kept))
        return
    waits = " The ledger does not answer; it is anchored later." if kept.state in {"putting", "withdrawing"} else ""
    kind = "Denial" if _plain(kept)["word"] == "deny" else "Consent"
    state = "in force" if kept.state == "granted" else kept.state
    say(f"{kind} {kept.handle} is {state}.{waits}")


def _plain(kept: StoredConsent) -> dict[str, Any]:
    import json

    provision = json.loads(kept.text)["provision"]
    return {
        "handle": kept.handle,
        "state": kept.state,
        "commitment": kept.commitment.hex(),
        "word": provision.get("type", ""),
        "purposes": " ".join(one["code"] for one in provision.get("purpose", [])) or "all",
        "terms": json.dumps({name: value for name, value in provision.items() if name not in {"type", "purpose"}}),
    }
