"""The data dictionary: every table of every stage, written from its contract.

``python -m xinglin.contracts.dictionary`` prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from xinglin.contracts import identity, landing, mart, person_map
from xinglin.contracts.model import Column, Table

__all__ = ["dictionary"]

_OPENING = """# Data dictionary

Written from the contracts in `src/xinglin/contracts` by `make docs`; change it there. Every table of the lake is a
Delta table in `lake/<stage>/<table>`; tables in person buckets keep one folder per bucket. Keys are stable 63-bit
hashes, the same in every build. Tables of the identified zone can name a person; `xinglin sql` sees the pseudonymous
ones of the stages mart and vocabulary only.
"""

_STAGES = {
    "landing": "What institutions sent, in signed batches.",
    "identity": "Who is the same person.",
    "mart": "OMOP CDM 5.4, images, and at its end the tables that lead from every row back to its source.",
    "vocabulary": "What codes mean: a small map of our own, or an OHDSI Athena download.",
}


def dictionary() -> str:
    """The whole dictionary as Markdown.

    Example:
        >>> dictionary().splitlines()[0]
        '# Data dictionary'
    """
    tables = (
        *landing.TABLES,
        *identity.TABLES,
        *person_map.TABLES,
        *mart.TABLES.values(),
        *mart.VOCABULARY_TABLES.values(),
    )
    parts = [_OPENING]
    for stage, about in _STAGES.items():
        of_stage = [table for table in tables if table.stage == stage]
        parts.append(f"## {stage}\n\n{about}\n\n{_overview(of_stage)}")
        parts += [_section(table) for table in of_stage]
    return "\n".join(parts)


def _overview(tables: Iterable[Table]) -> str:
    lines = [f"| [{table.name}](#{table.name}) | {table.grain} | {table.zone} |" for table in tables]
    return "\n".join(["| table | grain | zone |", "|---|---|---|", *lines, ""])


def _section(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key)
    place = "in person buckets" if table.bucketed else "not bucketed"
    lines = [_line(column) for column in table.columns]
    return "\n".join(
        [
            f"### {table.name}",
            "",
            f"{_sentence(table.grain)} Key: {key}. Zone: {table.zone}; {place}.",
            "",
            "| column | type | required | meaning |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    )


def _line(column: Column) -> str:
    meaning = column.meaning
    if column.unit:
        meaning += f"; unit: {column.unit}"
    if column.references:
        meaning += f"; found in `{column.references}`"
    return f"| `{column.name}` | {column.type} | {'yes' if column.required else ''} | {meaning} |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    sys.stdout.write(dictionary())
