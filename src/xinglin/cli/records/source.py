"""Commands on the data of an institution before landing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xinglin.cli.app import Json, command_group
from xinglin.cli.show import counted, print_json, print_table, say

if TYPE_CHECKING:
    from xinglin.sources.tabular.profile.columns import TableProfile

__all__: list[str] = []

source = command_group("source", "Tables of an institution, before landing: profile them and draft a mapping.")


@source.callback()
def _source() -> None:
    """Tables of an institution, before landing: profile them and draft a mapping."""


@source.command("profile")
def profile(
    place: Annotated[str, typer.Argument(metavar="FILE|URL", help="CSV, Excel or Parquet file, or a database's URL.")],
    out: Annotated[Path | None, typer.Option(help="Write the draft of the mapping to this file.")] = None,
    time_zone: Annotated[str, typer.Option(help="Time zone of local times: IANA name or offset.")] = "Asia/Shanghai",
    examples: Annotated[
        bool, typer.Option("--examples", help="Show patterns of values: 9 digit, a letter, 汉.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Profile tables: guess the meaning of columns and draft a mapping file. Prints no values."""
    from xinglin.cli.opening import outside
    from xinglin.core.files import write_atomic
    from xinglin.sources.tabular.profile.draft_mapping import profile as profile_tables

    # The URL of a database file contains its path.
    named = Path(place.rpartition(":///")[2].partition("?")[0])
    if named.exists():
        outside(named)
    result = profile_tables(place, time_zone)
    if out is not None:
        write_atomic(out, result.mapping.encode())
    if as_json:
        print_json({"tables": [_plain(table, examples) for table in result.tables], "mapping": result.mapping})
        return
    for table in result.tables:
        _print(table, examples)
    if out is None:
        say(result.mapping)
    else:
        say(f"Draft of the mapping written to {out}. Next: review the lines with a question mark, then ingest with it.")


def _plain(table: TableProfile, examples: bool) -> dict[str, Any]:
    from dataclasses import asdict

    content = asdict(table)
    for column in content["columns"]:
        if not examples:
            del column["shapes"]
    return content


def _print(table: TableProfile, examples: bool) -> None:
    facts = [counted(table.rows, "row")]
    if table.unreadable:
        facts.append(f"{table.unreadable:,} unreadable")
    if table.encoding:
        facts.append(f"{table.encoding}, delimiter {table.delimiter}")
    if not table.has_header:
        facts.append("no header row")
    columns = ["column", "meaning", "type", "filled", "empty", "distinct", "length", "date formats, missing values"]
    rows = []
    for one in table.columns:
        notes = [*one.date_formats[:2], *(f"{word} ({number})" for word, number in one.null_words.items())]
        row = [one.name, one.meaning, one.kind, one.filled, one.empty, one.distinct, f"{one.shortest}-{one.longest}",
               ", ".join(notes)]  # fmt: skip
        rows.append([*row, "  ".join(one.shapes)] if examples else row)
    print_table(f"{table.name}: {'; '.join(facts)}", [*columns, "patterns"] if examples else columns, rows)
