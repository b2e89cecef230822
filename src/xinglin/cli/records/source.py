"""Commands on what institutions have, before anything of it is landed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Json, command_group
from xinglin.cli.show import print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.sources.tabular.profile.columns import TableProfile

__all__: list[str] = []

source = command_group("source", "What an institution has: look at its tables before landing them.")


@source.callback()
def _source() -> None:
    """What an institution has: look at its tables before landing them."""


@source.command("profile")
def profile(
    place: Annotated[str, typer.Argument(metavar="FILE|URL", help="CSV, Excel or Parquet file, or a database's URL.")],
    out: Annotated[Path | None, typer.Option(help="Write the drafted mapping file here.")] = None,
    time_zone: Annotated[str, typer.Option(help="Of local times: IANA name or offset.")] = "Asia/Shanghai",
    examples: Annotated[bool, typer.Option("--examples", help="Show shapes of values: 9 digit, a letter, 汉.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a table, say what its columns may be, and draft the mapping file; no value is shown."""
    from xinglin.cli.opening import outside
    from xinglin.core.files import write_atomic
    from xinglin.sources.tabular.profile.draft_mapping import profile as look

    # The URL of a database in a file names its path.
    named = Path(place.rpartition(":///")[2].partition("?")[0])
    if named.exists():
        outside(named)
    found = look(place, time_zone)
    if out is not None:
        write_atomic(out, found.mapping.encode())
    if as_json:
        print_json({"tables": [_plain(table, examples) for table in found.tables], "mapping": found.mapping})
        return
    for table in found.tables:
        _print(table, examples)
    if out is None:
        say(found.mapping)
    else:
        say(f"A draft of the mapping is in {out}; look at the lines with a question mark, then ingest with it.")


def _plain(table: TableProfile, examples: bool) -> dict[str, Any]:
    from dataclasses import asdict

    content = asdict(table)
    for column in content["columns"]:
        if not examples:
            del column["shapes"]
    return content


def _print(table: TableProfile, examples: bool) -> None:
    facts = [f"{table.rows:,} rows"]
    if table.unreadable:
        facts.append(f"{table.unreadable:,} of them unreadable")
    if table.encoding:
        facts.append(f"{table.encoding}, fields apart by {table.delimiter}")
    if not table.has_header:
        facts.append("no header row")
    columns = ["column", "meaning", "type", "filled", "empty", "distinct", "length", "dates, words for missing"]
    rows = []
    for one in table.columns:
        notes = [*one.date_formats[:2], *(f"{word} ({number})" for word, number in one.null_words.items())]
        row = [one.name, one.meaning, one.kind, one.filled, one.empty, one.distinct, f"{one.shortest}-{one.longest}",
               ", ".join(notes)]  # fmt: skip
        rows.append([*row, "  ".join(one.shapes)] if examples else row)
    print_table(f"{table.name}: {'; '.join(facts)}", [*columns, "shapes"] if examples else columns, rows)
