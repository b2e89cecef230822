"""The application object and the options that every command shares."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from xinglin import __version__

__all__ = ["Home", "Json", "Master", "Purpose", "RunnerChoice", "RunnerName", "app"]

_ORDER = [
    "demo",
    "init",
    "ingest",
    "listen",
    "run",
    "status",
    "sql",
    "extract",
    "view",
    "job",
    "record",
    "consent",
    "access",
    "verify",
    "ledger",
    "backup",
    "erase",
    "quarantine",
    "messages",
    "link",
    "mart",
    "identity",
    "vocabulary",
    "site",
    "source",
    "region",
    "spark",
]
"""As a newcomer meets them."""


class _InOrder(TyperGroup):
    """Commands in the order of `_ORDER`; one that has no place there comes last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands."""
        last = len(_ORDER)
        return sorted(self.commands, key=lambda name: (_ORDER.index(name) if name in _ORDER else last, name))


app = typer.Typer(
    name="xinglin",
    cls=_InOrder,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Many institutions, one linked mart, every figure proved.\n\n"
    "Start with `xinglin demo`. With your own files: `xinglin ingest PATH --site NAME`, `xinglin run`, "
    '`xinglin sql "SELECT …"`. The region lives where --home or XINGLIN_HOME says, else in ./xinglin-home.',
)

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of the region (or XINGLIN_HOME; else ./xinglin-home).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
Purpose = Annotated[
    str | None,
    typer.Option(help="Why: TREAT, HRESCH, HOPERAT, PATRQT, … (HL7 PurposeOfUse); else what the role is for."),
]


class RunnerName(StrEnum):
    """Where the work happens."""

    local = "local"
    spark = "spark"


RunnerChoice = Annotated[
    RunnerName | None, typer.Option("--runner", help="Where the work happens; else as xinglin.toml says, else local.")
]
Master = Annotated[
    str | None, typer.Option(help="Spark's master: local[N], spark://HOST:PORT, yarn or k8s://…", show_default=False)
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xinglin {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""
