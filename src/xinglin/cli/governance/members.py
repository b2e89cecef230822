"""Commands by which institutions come, change their voting power and leave: propose, vote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Home, Json
from xinglin.cli.governance.ledger import ledger_app, signing
from xinglin.cli.show import print_json, print_table, progress_bars, say

if TYPE_CHECKING:
    from xinglin.ledger import Ledger, Signer
    from xinglin.ledger.institution.membership import Proposal

__all__ = ["show_members", "standing"]


@ledger_app.command("propose")
def propose(
    who: Annotated[
        str, typer.Argument(metavar="MEMBER.json|NAME", help="Public part of a newcomer; or who is on the ledger.")
    ],
    power: Annotated[int | None, typer.Option(min=0, help="Voting power that NAME is to have.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="NAME is to leave; its keys are never taken again.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Propose that an institution joins, changes its power or leaves; it counts as the own vote for it."""
    from xinglin.core.errors import UsageError
    from xinglin.ledger.institution import membership

    with _voting("ledger propose", home) as (ledger, signer):
        if remove and power is not None:
            raise UsageError("one that leaves has no power", remedy="give --power or --remove, not both")
        changed = remove or power is not None
        body = membership.change(who, power) if changed else _newcomer(Path(who), ledger.chain_id)
        _tell(ledger, membership.propose(ledger, signer, body), as_json)


@ledger_app.command("vote")
def vote(
    proposal: Annotated[str, typer.Argument(help="Its id, as status names it.")],
    against: Annotated[bool, typer.Option("--against", help="Against it; a later vote replaces this one.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Vote on a proposal; it takes effect when more than two thirds of the voting power agreed."""
    from xinglin.ledger.institution import membership

    with _voting("ledger vote", home) as (ledger, signer):
        _tell(ledger, membership.vote(ledger, signer, proposal, not against), as_json)


@contextmanager
def _voting(command: str, home: Path | None) -> Iterator[tuple[Ledger, Signer]]:
    """The ledger between institutions and who signs for this one; the wait for a block is shown."""
    from xinglin.core.errors import UsageError

    with signing(command, home) as (settings, ledger, signer), progress_bars() as report:
        if settings.ledger.kind == "embedded":
            remedy = "between institutions: docs/how-to/run/consortium.md"
            raise UsageError("nobody votes on a ledger that one keeps alone", source=str(settings.home), remedy=remedy)
        if report:
            report("waits for a block", 0, 1)
        yield ledger, signer
        if report:
            report("waits for a block", 1, 1)


def _newcomer(path: Path, chain_id: str) -> dict[str, Any]:
    from xinglin.core.errors import BadInput, UsageError
    from xinglin.ledger.consortium.members import Member
    from xinglin.ledger.institution.membership import addition

    if not path.is_file():
        remedy = "name a newcomer's file, or add --power N or --remove for an institution that is there"
        raise UsageError("there is no such file", source=str(path), remedy=remedy)
    member = Member.from_json(path.read_text(errors="replace"), str(path))
    if member.joining is None or member.joining.chain_id != chain_id:
        remedy = (
            "the newcomer runs: xinglin ledger join GENESIS FILE…, with this chain's genesis, and sends what it names"
        )
        raise BadInput(f"its keys did not sign that they join {chain_id}", source=str(path), remedy=remedy)
    keys = (member.public_key, member.validator_key)
    proofs = (member.joining.public_key_proof, member.joining.validator_key_proof)
    return addition(member.name, member.power, *(tuple(map(bytes.fromhex, pair)) for pair in (keys, proofs)))


def _tell(ledger: Ledger, proposal: Proposal, as_json: bool) -> None:
    from dataclasses import asdict

    from xinglin.ledger.institution.membership import participants, tolerated_failures

    if as_json:
        print_json(asdict(proposal))
        return
    say(f"{proposal.id[:12]}: {proposal.words}; {proposal.outcome}")
    powers = {one.name: one.power for one in participants(ledger)}
    if proposal.outcome == "open":
        say(f"power that has to agree still: {proposal.missing:,}; not heard: {', '.join(proposal.silent) or 'nobody'}")
        say(f"the others vote by: xinglin ledger vote {proposal.id[:12]}")
        powers[proposal.name] = proposal.power
    # A chain is weak before anybody notices it: so this is said before the vote that makes it so, and after.
    if not tolerated_failures(powers.values()):
        say("with it not one institution may be away: whoever is down stops the ledger")


def standing(state: Path) -> dict[str, Any]:
    """Institutions on the ledger and proposals that are open, as a home's store has them; nothing where there is none.

    Args:
        state: The store.
    """
    from dataclasses import asdict

    from xinglin.ledger.institution.membership import participants, proposals
    from xinglin.ledger.state.reading import LedgerReader

    if not state.is_file():
        return {}
    ledger = LedgerReader(state)
    try:
        known = [asdict(one) for one in participants(ledger) if one.active]
        waiting = [asdict(one) | {"words": one.words} for one in proposals(ledger) if one.outcome == "open"]
    finally:
        ledger.close()
    return {"institutions": known, "proposals": waiting}


def show_members(told: dict[str, Any]) -> None:
    """Print who holds the ledger, and what is proposed.

    Args:
        told: From `standing`.
    """
    from datetime import UTC, datetime

    from xinglin.ledger.institution.membership import tolerated_failures

    if not told:
        return
    powers = [one["power"] for one in told["institutions"]]
    print_table("institutions", ["name", "power"], [(one["name"], one["power"]) for one in told["institutions"]])
    say(f"{2 * sum(powers) // 3 + 1:,} of {sum(powers):,} must agree; {tolerated_failures(powers)} may be unavailable")
    rows = [
        (
            one["id"][:12],
            one["words"],
            ", ".join(one["agreed"]),
            ", ".join(one["against"]),
            ", ".join(one["silent"]),
            one["missing"],
            datetime.fromtimestamp(one["until"], UTC).date().isoformat(),
        )
        for one in told["proposals"]
    ]
    if rows:
        print_table("proposals", ["id", "what", "for", "against", "not heard", "power missing", "until"], rows)
