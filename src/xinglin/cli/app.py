"""The application, its groups of commands, and the options that several commands share."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from xinglin import __version__

__all__ = ["Home", "Json", "Master", "Purpose", "RunnerChoice", "RunnerName", "app", "command_group"]

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
"""Order in the help text: first what a new user needs first."""


_SIMILARITY = 0.75
"""Similarity from which a command is suggested for an unknown one: the ratio of difflib, 0 to 1."""


class _Group(TyperGroup):
    """A group that answers an unknown command with a similar one, or else with the list of its commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the first argument names.

        Raises:
            click.UsageError: There is no such command.
        """
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            similar = get_close_matches(args[0], self.commands, n=1, cutoff=_SIMILARITY)
            hint = f"Did you mean '{similar[0]}'?" if similar else f"Commands: {', '.join(self.list_commands(ctx))}."
            ctx.fail(f"No such command '{args[0]}'. {hint}")
        return super().resolve_command(ctx, args)


class _Root(_Group):
    """The commands in the order of `_ORDER`; commands that are not in it come last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, sorted."""
        last = len(_ORDER)
        return sorted(self.commands, key=lambda name: (_ORDER.index(name) if name in _ORDER else last, name))


app = typer.Typer(
    name="xinglin",
    cls=_Root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Regional medical data platform: records of many institutions in one linked, verifiable OMOP mart.\n\n"
    "Start with `xinglin demo`. With your own files: `xinglin ingest PATH --site NAME`, `xinglin run`, "
    '`xinglin sql "SELECT …"`. The folder of the region is --home, else XINGLIN_HOME, else ./xinglin-home.',
)


def command_group(name: str, description: str, parent: typer.Typer = app) -> typer.Typer:
    """A new group of commands.

    Args:
        name: Its name on the command line.
        description: Its help text.
        parent: The group that it belongs to.
    """
    group = typer.Typer(cls=_Group, no_args_is_help=True, help=description)
    parent.add_typer(group, name=name)
    return group


Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of the region; default: XINGLIN_HOME, else ./xinglin-home.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Purpose = Annotated[
    str | None,
    typer.Option(help="HL7 PurposeOfUse: TREAT, HRESCH, HOPERAT, PATRQT, …; default: the purpose of your role."),
]


class RunnerName(StrEnum):
    """Names of runners."""

    local = "local"
    spark = "spark"


RunnerChoice = Annotated[
    RunnerName | None, typer.Option("--runner", help="Where tasks run: local or spark; default: as in xinglin.toml.")
]
Master = Annotated[
    str | None, typer.Option(help="Spark master: local[N], spark://HOST:PORT, yarn or k8s://….", show_default=False)
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
