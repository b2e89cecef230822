"""The command that shows what would become of HL7 v2 messages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Json, app
from xinglin.cli.show import print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.sources.hl7v2.account import Account

__all__: list[str] = []

_COLUMNS = ("file", "message", "type", "control id", "outcome", "resources", "mentioned", "not used", "reason")


@app.command("messages")
def messages(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of HL7 v2 messages.")],
    mapping: Annotated[Path | None, typer.Option(help="The site's changes to the mapping (YAML).")] = None,
    as_json: Json = False,
) -> None:
    """Show what would become of HL7 v2 messages: landed or quarantined, each with its reason. Nothing is landed."""
    from xinglin.cli.opening import outside
    from xinglin.sources import Reading
    from xinglin.sources.hl7v2.account import accounts

    for path in paths:
        outside(path)
    text = mapping.read_text(encoding="utf-8") if mapping else None
    found = list(accounts(paths, Reading("hl7v2", text)))
    totals = _totals(found)
    if as_json:
        print_json({"messages": [vars(one) | {"outcome": one.outcome} for one in found], "totals": totals})
        return
    print_table("Messages", _COLUMNS, [_row(one) for one in found])
    print_table("Resources", ["type", "landed", "mentioned"],
                [(name, totals["landed"].get(name, 0), totals["mentioned"].get(name, 0))
                 for name in sorted({*totals["landed"], *totals["mentioned"]})])  # fmt: skip
    outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(totals["outcomes"].items()))
    say(f"{totals['messages']:,} messages and {totals['others']:,} other pieces: {outcomes or 'nothing'}")


def _row(account: Account) -> tuple[Any, ...]:
    reasons = Counter(f"{reason}: {detail}" for reason, detail in account.set_aside)
    return (
        account.file,
        account.message or None,
        account.kind,
        account.control_id,
        account.outcome,
        _listed(account.landed),
        _listed(account.mentioned),
        _listed(account.unused),
        "; ".join(reason + (f" ({number} times)" if number > 1 else "") for reason, number in reasons.items()),
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def _totals(found: list[Account]) -> dict[str, Any]:
    landed: Counter[str] = sum((one.landed for one in found), Counter())
    mentioned: Counter[str] = sum((one.mentioned for one in found), Counter())
    return {
        "messages": sum(1 for one in found if one.message),
        "others": sum(1 for one in found if not one.message),
        "outcomes": dict(Counter(one.outcome for one in found)),
        "landed": dict(landed),
        "mentioned": dict(mentioned),
        "reasons": dict(Counter(reason for one in found for reason, _ in one.set_aside)),
    }
