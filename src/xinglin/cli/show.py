"""Output of commands: tables, JSON, progress bars, errors."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinglin.admission import Progress

__all__ = ["complain", "counted", "plain", "print_json", "print_table", "progress_bars", "say", "visible"]

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """A text without control and bidirectional characters, so that foreign text cannot change the terminal's output.

    Example:
        >>> visible("name" + chr(27) + "[2J")
        'name\ufffd[2J'
    """
    return _COMMANDS.sub("\ufffd", text)


def complain(text: str) -> None:
    """Print an error or warning on standard error."""
    sys.stderr.write(f"xinglin: {visible(text)}\n")


def say(text: str) -> None:
    """Print one line on standard output."""
    sys.stdout.write(f"{visible(text)}\n")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun in the singular or plural.

    Args:
        number: How many.
        noun: The noun in the singular.
        plural: Its plural, unless that ends in s.

    Example:
        >>> counted(1, "batch", "batches"), counted(2, "batch", "batches"), counted(1_000, "file")
        ('1 batch', '2 batches', '1,000 files')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    import json

    json.dump(value, sys.stdout, default=plain, ensure_ascii=False)
    sys.stdout.write("\n")


def plain(value: Any) -> Any:
    """A value that JSON can represent, for one that it cannot.

    Example:
        >>> plain(date(2026, 1, 2))
        '2026-01-02'
    """
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    return str(value)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, total: bool = False) -> None:
    """Print a table; numbers are right-aligned with thousands separators.

    Args:
        title: Its title.
        columns: Names of the columns.
        rows: Values by row; None is an empty cell.
        total: Whether the last row is a total, to be separated by a line.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    # As Text, because Rich would interpret [brackets] in a string as markup.
    table = Table(title=Text(visible(title)) if title else None, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        numeric = any(isinstance(row[number], (int, float)) for row in listed)
        table.add_column(Text(visible(column)), justify="right" if numeric else "left", overflow="fold")
    for number, row in enumerate(listed):
        if total and number == len(listed) - 1:
            table.add_section()
        table.add_row(*(Text(visible(_cell(value))) for value in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        # Large integers are keys, not amounts.
        return f"{value:,}" if abs(value) < 10**12 else str(value)
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.1f}"
    return str(plain(value)) if not isinstance(value, str) else value


@contextmanager
def progress_bars(quiet: bool = False) -> Iterator[Progress | None]:
    """Progress bars on standard error while the block runs; none if standard error is not a terminal.

    Args:
        quiet: Show nothing.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, whole: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=whole)
            bars.update(tasks[stage], completed=done, total=whole)

        yield report
