"""Commands on access control: credentials, referrals, and the access log."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xinglin.cli.app import Home, Json, command_group
from xinglin.cli.opening import opened
from xinglin.cli.show import print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.admission.accesses import Look

__all__: list[str] = []

access = command_group("access", "Access control: credentials, referrals, and the access log.")


_MOST_HOURS = 87_660.0


class Role(StrEnum):
    """What somebody is."""

    patient = "patient"
    clinician = "clinician"
    analyst = "analyst"
    operator = "operator"
    auditor = "auditor"
    site_agent = "site-agent"
    steward = "steward"


@access.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="Who: the name that the institution knows.")],
    role: Annotated[list[Role], typer.Option(help="What they are. Repeatable.")],
    institution: Annotated[str, typer.Option(help="Whose member; a site's name, for a clinician.")] = "",
    person: Annotated[int | None, typer.Option(help="person_id, for a patient.")] = None,
    hours: Annotated[float, typer.Option(help="Validity, in hours.")] = 12.0,
    out: Annotated[Path | None, typer.Option(help="File to write; in the region's keys/actors if none.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Issue a credential: a signed file that identifies an actor and roles. Anyone with the file can use it."""
    from xinglin.access.credentials.issue import issue_credential
    from xinglin.core.errors import UsageError

    if not 0 < hours <= _MOST_HOURS:
        raise UsageError("a credential holds for some hours, and no longer than 10 years", source="--hours")
    stores = opened("access issue", home)
    roles = tuple(one.value for one in role)
    path = issue_credential(stores.settings, (name, roles, institution, person), timedelta(hours=hours), out)
    if as_json:
        print_json({"file": path})
    else:
        say(f"{path} makes its holder {name}, {' and '.join(roles)}, for {hours:g} hours. Use it: --as {path}")


@access.command("revoke")
def revoke(
    file: Annotated[Path, typer.Argument(help="A credential that holds until now.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Revoke a credential; it is refused from now on."""
    from xinglin.access.credentials.issue import revoke_credential

    identifier = revoke_credential(opened("access revoke", home).settings, file)
    if as_json:
        print_json({"revoked": identifier})
    else:
        say(f"Credential {identifier} is revoked.")


@access.command("relate")
def relate(
    person: Annotated[int, typer.Option(help="person_id of the person.")],
    institution: Annotated[str, typer.Option(help="Who will treat the person: a site's name.")],
    days: Annotated[
        int | None, typer.Option(min=0, max=36_500, help="How long; 0 ends it. Else as xinglin.toml says, else 90.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Record a referral: an institution treats a person who has no records there yet."""
    from xinglin.access.referrals import refer
    from xinglin.core.clock import wall_clock

    stores = opened("access relate", home, person=person)
    lasting = stores.settings.access.referral_days if days is None else days
    until = wall_clock() + timedelta(days=lasting)
    refer(stores.settings.access_folder, person, stores.landing.site(institution).name, until)
    if as_json:
        print_json({"person": person, "institution": institution, "until": until})
    else:
        say(f"{institution} treats the person until {until:%Y-%m-%d %H:%M} UTC.")


@access.command("log")
def log(
    person: Annotated[int | None, typer.Option(help="person_id; default: all break-glass accesses.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List accesses to a person's records: who, when, why, permitted or refused. Break-glass access is flagged."""
    from xinglin.admission.accesses import emergencies, looks_at
    from xinglin.wiring import open_gate, reachable_ledger

    stores = opened("access log", home, person=person)
    settings = stores.settings
    with open_gate(settings) as gate:
        ledger = reachable_ledger(settings)
        looks = emergencies(gate, ledger) if person is None else looks_at(gate, stores.lake, person, ledger)
    if as_json:
        print_json({"looks": looks})
    else:
        _show("Break-glass accesses" if person is None else f"Accesses to the records of {person}", looks)


def _show(title: str, looks: list[Look]) -> None:
    columns = ["when", "who", "role", "of", "what", "why", "decision", "break-glass", "anchored at", "event"]
    rows = [
        (
            look.at[:19].replace("T", " "),
            look.who or "unknown",
            look.roles,
            look.institution,
            look.action,
            look.purpose,
            "permitted" if look.permitted else f"refused: {look.reason}",
            look.emergency,
            "not yet" if look.height is None else f"block {look.height}",
            look.event,
        )
        for look in looks
    ]
    print_table(title, columns, rows)
