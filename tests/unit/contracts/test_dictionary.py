"""The data dictionary in the docs is the one the contracts give."""

from __future__ import annotations

from pathlib import Path

from xinglin.contracts.dictionary import dictionary
from xinglin.contracts.mart import TABLES, VOCABULARY_TABLES

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "reference" / "dictionary.md"


def test_the_committed_dictionary_is_what_the_contracts_give() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == dictionary(), "run: make docs"


def test_every_table_and_column_of_the_mart_is_in_it() -> None:
    text = dictionary()

    for table in (*TABLES.values(), *VOCABULARY_TABLES.values()):
        section = text.split(f"\n### {table.name}\n")[1].split("\n## ")[0].split("\n### ")[0]
        listed = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert tuple(listed) == table.column_names


def test_every_link_of_the_overview_leads_to_one_section() -> None:
    text = dictionary()
    headings = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]

    assert len(headings) == len(set(headings))
    for heading in headings:
        assert f"[{heading}](#{heading})" in text
