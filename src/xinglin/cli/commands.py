"""The modules of each command. Running a command imports only its own modules, to start quickly."""

from __future__ import annotations

from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer
    from typer.models import CommandInfo

__all__ = ["WORDS", "application"]

WORDS: dict[str, tuple[str, ...]] = {
    "access": ("governance.access",),
    "backup": ("region.backup",),
    "consent": ("governance.consent",),
    "demo": ("region.region",),
    "erase": ("region.erasure",),
    "extract": ("questions.extract",),
    "identity": ("records.identity",),
    "ingest": ("records.stages",),
    "init": ("region.region",),
    "job": ("questions.job",),
    "ledger": ("governance.ledger", "governance.prove", "governance.consortium", "governance.members"),
    "link": ("records.stages",),
    "listen": ("records.listen",),
    "mart": ("questions.mart",),
    "messages": ("records.messages",),
    "quarantine": ("records.stages",),
    "record": ("records.record",),
    "region": ("region.region",),
    "run": ("records.stages",),
    "site": ("region.site",),
    "source": ("records.source",),
    "spark": ("questions.spark",),
    "sql": ("questions.sql",),
    "status": ("records.stages",),
    "verify": ("records.stages",),
    "view": ("questions.view",),
    "vocabulary": ("questions.mart",),
}
"""Modules by the first word of the command."""


def application(word: str = "") -> typer.Typer:
    """The application with one top-level command, or with all of them; importing all takes longer than many commands.

    Args:
        word: The first word of the command. With any other word, all commands are loaded, as help and errors need.

    Example:
        >>> [group.name for group in application("consent").registered_groups]
        ['consent']
    """
    from xinglin.cli.app import app

    modules = WORDS.get(word) or tuple(dict.fromkeys(name for names in WORDS.values() for name in names))
    for module in modules:
        import_module(f"xinglin.cli.{module}")
    if word not in WORDS:
        return app
    # Modules that were imported for other reasons have registered their commands too.
    one = copy(app)
    one.registered_groups = [group for group in app.registered_groups if group.name == word]
    one.registered_commands = [command for command in app.registered_commands if _name(command) == word]
    return one


def _name(command: CommandInfo) -> str | None:
    return command.name or (command.callback and command.callback.__name__)
