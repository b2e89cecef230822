"""How a command opens a region: it says what for, and whoever runs it is decided about first."""

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


def opened(command: str, home: Path | None, *, create: bool = False, **said: Any) -> Stores:
    """Open the region for one command.

    Args:
        command: Its words, as `INTENTS` has them.
        home: The region's folder.
        create: Make an empty region when there is none.
        said: What the command line says of the intent: purpose, person, break_glass, …

    Raises:
        AccessDenied: Whoever runs the command may not; the refusal is in the audit log.
        NotFound: There is no region and `create` is false.
    """
    from xinglin.wiring import open_region

    return open_region(home, intent_of(command, **said), credential(), create=create)


def decided(command: str, home: Path | None, **said: Any) -> Settings:
    """Have decided what opens no stores: work on the ledger, on keys, on backups.

    Args:
        command: Its words, as `INTENTS` has them.
        home: The region's folder.
        said: What the command line says of the intent.

    Raises:
        AccessDenied: Whoever runs the command may not; the refusal is in the audit log.
        NotFound: There is no region.
    """
    from xinglin.core.settings import default_home
    from xinglin.wiring import decided as decide

    return decide((home or default_home()).absolute(), intent_of(command, **said), credential())


def outside(path: Path) -> None:
    """Pass where a path lies outside every home; the way around the decision that leads into one is refused.

    Args:
        path: What a command without a decision is to read.

    Raises:
        AccessDenied: It lies in a home, in whose audit log the refusal is.
    """
    from xinglin.core.intent import Intent
    from xinglin.wiring import decided as decide

    place = path.resolve()
    for folder in (place, *place.parents):
        if (folder / "xinglin.toml").is_file():
            # No role may do this, so it ends here, written down.
            decide(folder, Intent("read-by-path", purpose=""), credential())


def intent_of(command: str, **said: Any) -> Intent:
    """What a command is about to do.

    Args:
        command: Its words.
        said: What the command line says of it.

    Example:
        >>> intent_of("sql", purpose="HRESCH").purpose
        'HRESCH'
    """
    intent = INTENTS[command]
    if intent is None:
        raise ValueError(f"{command} has no decision")
    return replace(intent, **{name: value for name, value in said.items() if value is not None})


def landing_of(home: Path | None, sites: Iterable[str]) -> frozenset[str]:
    """Stages that landing at these sites writes: the registry too where one of them is new.

    Args:
        home: The region's folder.
        sites: Names of sites.
    """
    from xinglin.core.settings import default_home

    landing = (home or default_home()) / "landing"
    new = any(not (landing / site / "site.json").is_file() for site in sites)
    return frozenset({"landing", "sites"} if new else {"landing"})


def classes_named(resource_type: str) -> frozenset[str] | None:
    """The data class that a view reads, where it is one that a consent can name.

    Args:
        resource_type: FHIR resource type.
    """
    from xinglin.access.terms.data_classes import EVERY_CLASS

    return frozenset({resource_type}) if resource_type in EVERY_CLASS else None


def credential() -> Path | None:
    """The file of the credential that was presented: by ``--as``, else by XINGLIN_ACTOR; None for the owner's."""
    named = os.environ.get("XINGLIN_ACTOR")
    return _PRESENTED.get() or (Path(named) if named else None)


def command_line(app: typer.Typer) -> Any:
    """The commands, each that opens a region with the option ``--as``.

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
    """Every command that does something, by its words."""
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
        help="Credential of whoever runs this (or XINGLIN_ACTOR; else the region's owner).",
    ),
]


def _as_option() -> Any:
    """The option as typer makes it, from a command that has no other."""

    def only(presented: _As = None) -> None:
        """Nothing but the option."""

    one = typer.Typer()
    one.command()(only)
    return typer.main.get_command(one).params[0]
