"""The texts keep to the writing style: none of the phrases that docs/style.md rules out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
STYLE = REPO / "docs" / "style.md"
PLACES = [
    "*.md",
    "bench/*.md",
    "docs/**/*.md",
    "examples/**/*",
    "requirements/*.md",
    "tools/*.py",
    "src/xinglin/access/**/*",
    "src/xinglin/backup/**/*",
    "src/xinglin/contracts/**/*",
    "src/xinglin/core/**/*",
    "src/xinglin/fhirpath/**/*",
    "src/xinglin/landing/**/*",
    "src/xinglin/ledger/**/*",
    "src/xinglin/release/**/*",
    "src/xinglin/synthetic/**/*",
    "src/xinglin/views/**/*",
]
"""Patterns of the files that are held to the style; a package of `src` is added when its texts are rewritten."""
EXCEPT = {STYLE, REPO / "docs" / "reference" / "commands.md"}
"""The list itself, and a page that is generated from help texts: those are checked where they are written."""


def phrases() -> list[str]:
    section = STYLE.read_text(encoding="utf-8").partition("## Checked by a test")[2]
    block = re.search(r"```text\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1].split("\n")[:-1]


def found_in(text: str, phrase: str) -> list[int]:
    """Numbers of the lines on which a phrase begins, also where a line end stands between two of its words."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    return [text[: match.start()].count("\n") + 1 for match in re.finditer(rf"(?i)\b{words}\b", text)]


def files() -> list[Path]:
    paths = {path for place in PLACES for path in REPO.glob(place)}
    return sorted(path for path in paths - EXCEPT if path.suffix in {".md", ".py", ".sql", ".yaml"})


def test_the_list_of_phrases_is_read():
    assert {"anew", "whoever", "to mend it"} <= set(phrases())


def test_a_phrase_is_found_across_a_line_end_and_in_capitals():
    assert found_in("A line.\nTo mend\n  it: do so.", "to mend it") == [2]
    assert found_in("a renewal", "anew") == []


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(REPO)))
def test_a_text_has_none_of_the_phrases_of_the_list(path: Path):
    text = path.read_text(encoding="utf-8")
    lines = {phrase: found_in(text, phrase) for phrase in phrases()}
    assert {phrase: where for phrase, where in lines.items() if where} == {}
