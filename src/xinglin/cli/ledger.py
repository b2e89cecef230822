"""Commands about the ledger: what it holds, what it proves, and who watches it."""

from __future__ import annotations

import typer

from xinglin.cli.app import app

__all__ = ["ledger_app"]

ledger_app = typer.Typer(no_args_is_help=True, help="The ledger: anchors, proofs, checkpoints and their witnesses.")
app.add_typer(ledger_app, name="ledger")


@ledger_app.callback()
def _group() -> None:
    """The ledger: anchors, proofs, checkpoints and their witnesses."""
