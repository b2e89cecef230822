"""The command reference: every command with its arguments, options and defaults, read from the application itself.

``python -m tools.command_reference`` prints it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from xinglin.cli.commands import application
from xinglin.cli.opening import command_line

__all__ = ["command_reference"]

_OPENING = """# Commands

Generated from the command line by `make docs`; change the help texts there. Each command also prints its help with
`--help`. Exit codes: 0 done, 1 the work found something wrong (details on standard error), 2 bad usage.

These options mean the same in every command that has them:

| option | meaning |
|---|---|
"""

_SHARED_BY = 8
"""An option that at least this number of commands have, with the same text, is described once."""


def command_reference() -> str:
    """The whole page as Markdown.

    Example:
        >>> command_reference().splitlines()[0]
        '# Commands'
    """
    found = list(_commands(command_line(application()), ()))
    rows = [_row(option) for _, command in found for option in _options(command)]
    shared = list(dict.fromkeys(row for row in rows if rows.count(row) >= _SHARED_BY))
    parts = [_OPENING + "\n".join(shared) + "\n", _overview(found)]
    parts += [_section(words, command, frozenset(shared)) for words, command in found]
    return "\n".join(parts)


def _commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        elif not command.hidden:
            yield " ".join((*words, name)), command


def _overview(found: list[tuple[str, Any]]) -> str:
    lines = [f"| [`{words}`](#{_anchor(words)}) | {_summary(command)} |" for words, command in found]
    return "\n".join(["| command | does |", "|---|---|", *lines, ""])


def _section(words: str, command: Any, shared: frozenset[str]) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    usage = " ".join(["xinglin", words, *(_argument(argument) for argument in arguments), "[OPTIONS]"])
    parts = [f"## xinglin {words}\n", f"```text\n{usage}\n```\n", f"{_text(command.help)}\n"]
    if arguments:
        lines = [f"| `{_placeholder(argument)}` | {_help(argument)} |" for argument in arguments]
        parts.append("\n".join(["| argument | meaning |", "|---|---|", *lines, ""]))
    own = [row for row in map(_row, _options(command)) if row not in shared]
    if own:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *own, ""]))
    if names := [f"`{option.opts[0]}`" for option in _options(command) if _row(option) in shared]:
        parts.append(f"Also: {', '.join(names)}.\n")
    return "\n".join(parts)


def _options(command: Any) -> list[Any]:
    return [
        parameter
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.hidden and parameter.name != "help"
    ]


def _row(option: Any) -> str:
    value = "" if option.is_flag else f" {_value(option)}"
    names = ", ".join(f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts))
    return f"| {names} | {_help(option)} |"


def _help(parameter: Any) -> str:
    text = _text(parameter.help)
    notes = ["required"] if parameter.required else []
    notes += ["repeatable"] if parameter.param_type_name == "option" and parameter.multiple else []
    default = parameter.default
    if not parameter.required and not (default is None or default is False or default == () or callable(default)):
        notes.append(f"default: `{_plain(default)}`" if _plain(default) else "")
    return " ".join([text, *([f"({'; '.join(note for note in notes if note)})"] if any(notes) else [])])


def _plain(default: Any) -> str:
    value = getattr(default, "value", default)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _value(option: Any) -> str:
    choices = getattr(option.type, "choices", None)
    if choices:
        return "/".join(str(getattr(choice, "value", choice)) for choice in choices)
    return str(option.metavar or option.type.name).upper().removesuffix(" RANGE")


def _placeholder(argument: Any) -> str:
    return str(argument.metavar or argument.name).strip("{}<>").upper()


def _argument(argument: Any) -> str:
    name = _placeholder(argument) + ("…" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _summary(command: Any) -> str:
    return _text((command.help or "").strip().split("\n\n")[0])


def _text(words: str | None) -> str:
    paragraphs = inspect.cleandoc(words or "").replace("|", "\\|").replace("<", "&lt;").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _anchor(words: str) -> str:
    return f"xinglin {words}".replace(" ", "-")


if __name__ == "__main__":
    sys.stdout.write(command_reference())
