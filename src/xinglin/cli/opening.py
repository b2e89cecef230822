"""Opening a region for a command, after its access decision."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.intents import INTENTS

if TYPE_CHECKING:
    from xinglin.admission import Stores
    from xinglin.core.intent import Intent
    from xinglin.core.settings import Settings

__all__ = [
    "classes_named",
    "command_line",
    "credential",
    "decided",
    "intent_of",
    "landing_of",
    "leaves",
    "opened",
    "outside",
]

_PRESENTED: ContextVar[Path | None] = ContextVar("presented", default=None)


def opened(command: str, home: Path | None, *, create: bool = False, **options: Any) -> Stores:
    """Open the region for one command.

    Args:
        command: Words of the command, as in `INTENTS`.
        home: The region's folder.
        create: Create an empty region if there is none.
        options: Fields of the intent that the command line gives: purpose, person, break_glass, …

    Raises:
        AccessDenied: The actor may not run the command; the audit log has the refusal.
        NotFound: There is no region and `create` is false.
    """
    from xinglin.wiring import open_region

    return open_region(home, intent_of(command, **options), credential(), create=create)


def decided(command: str, home: Path | None, **options: Any) -> Settings:
    """Check access for a command that opens no stores: work on the ledger, on keys, on backups.

    Args:
        command: Words of the command, as in `INTENTS`.
        home: The region's folder.
        options: Fields of the intent that the command line gives.

    Raises:
        AccessDenied: The actor may not run the command; the audit log has the refusal.
        NotFound: There is no region.
    """
    from xinglin.core.settings import default_home
    from xinglin.wiring import decided as decide

    return decide((home or default_home()).absolute(), intent_of(command, **options), credential())


def outside(path: Path) -> None:
    """Raise an error if a path is inside a region, so that no command reads a region's files without a decision.

    Args:
        path: The file or folder that a command without an access decision is about to read.

    Raises:
        AccessDenied: The path is inside a region; its audit log has the refusal.
    """
    from xinglin.core.intent import Intent
    from xinglin.wiring import decided as decide

    place = path.resolve()
    for folder in (place, *place.parents):
        if (folder / "xinglin.toml").is_file():
            # No role may do this, so the request is refused and logged.
            decide(folder, Intent("read-by-path", purpose=""), credential())


def intent_of(command: str, **options: Any) -> Intent:
    """The request for access of a command.

    Args:
        command: Words of the command.
        options: Fields of the intent that the command line gives; None leaves the default.

    Example:
        >>> intent_of("sql", purpose="HRESCH").purpose
        'HRESCH'
    """
    intent = INTENTS[command]
    if intent is None:
        raise ValueError(f"the command {command} has no access decision")
    return replace(intent, **{name: value for name, value in options.items() if value is not None})


def landing_of(home: Path | None, sites: Iterable[str]) -> frozenset[str]:
    """Stages that landing at these sites writes: also the registry of sites if one of them is new.

    Args:
        home: The region's folder.
        sites: Names of sites.
    """
    from xinglin.core.settings import default_home

    landing = (home or default_home()) / "landing"
    new = any(not (landing / site / "site.json").is_file() for site in sites)
    return frozenset({"landing", "sites"} if new else {"landing"})


def classes_named(resource_type: str) -> frozenset[str] | None:
    """The data class that a view reads, if a consent can name it.

    Args:
        resource_type: FHIR resource type.
    """
    from xinglin.access.terms.data_classes import EVERY_CLASS

    return frozenset({resource_type}) if resource_type in EVERY_CLASS else None


def credential() -> Path | None:
    """The credential file given by ``--as``, else by XINGLIN_ACTOR; None for the owner's credential."""
    named = os.environ.get("XINGLIN_ACTOR")
    return _PRESENTED.get() or (Path(named) if named else None)


def command_line(app: typer.Typer) -> Any:
    """The commands; each command with an access decision gets the option ``--as``.

    Args:
        app: The application.
    """
    _PRESENTED.set(None)
    root = typer.main.get_command(app)
    option = _as_option()
    for words, command in leaves(root):
        if INTENTS.get(words) is not None:
            command.params.append(option)
    return root


def leaves(group: Any, before: str = "") -> list[tuple[str, Any]]:
    """All commands without subcommands, as (words, command)."""
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        found += leaves(command, words) if hasattr(command, "commands") else [(words, command)]
    return found


def _keep(value: Path | None) -> None:
    if value is not None:
        _PRESENTED.set(value)


_As = Annotated[
    Path | None,
    typer.Option(
        "--as",
        metavar="FILE",
        callback=_keep,
        expose_value=False,
        help="Your credential; default: XINGLIN_ACTOR, else the credential of the region's owner.",
    ),
]


def _as_option() -> Any:
    """The option as typer builds it, taken from a command that has no other option."""

    def only(presented: _As = None) -> None:
        """Carry the option."""

    one = typer.Typer()
    one.command()(only)
    return typer.main.get_command(one).params[0]
