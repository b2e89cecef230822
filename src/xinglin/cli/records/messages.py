"""The command that previews the landing of HL7 v2 messages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Json, app
from xinglin.cli.show import counted, print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.sources.hl7v2.account import Account

__all__: list[str] = []

_COLUMNS = ("file", "message", "type", "control id", "outcome", "resources", "mentioned", "not used", "reason")


@app.command("messages")
def messages(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of HL7 v2 messages.")],
    mapping: Annotated[Path | None, typer.Option(help="YAML file with the site's changes to the mapping.")] = None,
    as_json: Json = False,
) -> None:
    """Preview the landing of HL7 v2 messages: which would be landed or quarantined, and why. Lands nothing."""
    from xinglin.cli.opening import outside
    from xinglin.sources import Reading
    from xinglin.sources.hl7v2.account import accounts

    for path in paths:
        outside(path)
    text = mapping.read_text(encoding="utf-8") if mapping else None
    listed = list(accounts(paths, Reading("hl7v2", text)))
    totals = _totals(listed)
    if as_json:
        print_json({"messages": [vars(one) | {"outcome": one.outcome} for one in listed], "totals": totals})
        return
    print_table("Messages", _COLUMNS, [_row(one) for one in listed])
    print_table("Resources", ["type", "landed", "mentioned"],
                [(name, totals["landed"].get(name, 0), totals["mentioned"].get(name, 0))
                 for name in sorted({*totals["landed"], *totals["mentioned"]})])  # fmt: skip
    outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(totals["outcomes"].items()))
    others = f" and {counted(totals['others'], 'other part')}" if totals["others"] else ""
    say(f"{counted(totals['messages'], 'message')}{others}: {outcomes or 'none'}")


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


def _totals(listed: list[Account]) -> dict[str, Any]:
    landed: Counter[str] = sum((one.landed for one in listed), Counter())
    mentioned: Counter[str] = sum((one.mentioned for one in listed), Counter())
    return {
        "messages": sum(1 for one in listed if one.message),
        "others": sum(1 for one in listed if not one.message),
        "outcomes": dict(Counter(one.outcome for one in listed)),
        "landed": dict(landed),
        "mentioned": dict(mentioned),
        "reasons": dict(Counter(reason for one in listed for reason, _ in one.set_aside)),
    }
