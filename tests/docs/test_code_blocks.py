"""The bash and python blocks of a page run as printed, one after the other in one folder.

A block that cannot run here stands below a comment ``<!-- not run: WHY -->``; every other block of commands runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PAGES = [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted((REPO / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^ *(?:<!-- not run: (?P<why>[^\n]+) -->\n *)?```(?P<language>\S*)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
RUN = {"bash", "python"}
DATA = {"", "text", "toml", "ini", "json", "yaml", "{toctree}", "{include}"}
"""What is shown and not run by anybody."""


@dataclass(frozen=True)
class Block:
    """A block, the line it begins on and why it is not run; empty where it is."""

    language: str
    code: str
    line: int
    why: str


def blocks(text: str) -> list[Block]:
    return [
        Block(match["language"], match["code"], text[: match.start()].count("\n") + 1, match["why"] or "")
        for match in FENCE.finditer(text)
    ]


OF_PAGE = {page: blocks(page.read_text(encoding="utf-8")) for page in PAGES}
WITH_RUNS = [page for page, found in OF_PAGE.items() if any(one.language in RUN and not one.why for one in found)]


def name(page: Path) -> str:
    return str(page.relative_to(REPO))


def test_blocks_are_found_with_their_reasons():
    text = "```bash\ntrue\n```\n\n<!-- not run: needs R -->\n```r\nsummary(1)\n```\n"

    assert blocks(text) == [Block("bash", "true\n", 1, ""), Block("r", "summary(1)\n", 5, "needs R")]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_not_run_say_why(page: Path):
    silent = [one for one in OF_PAGE[page] if one.language not in RUN | DATA and not one.why]
    if page == REPO / "README.md":  # what the demo and the test suite themselves are
        silent = [one for one in silent if "make demo" not in one.code]
    assert silent == []


@pytest.mark.parametrize("page", WITH_RUNS, ids=name)
def test_the_blocks_of_a_page_run_as_printed(page: Path, tmp_path: Path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("XINGLIN_")} | {"PATH": path}
    for block in OF_PAGE[page]:
        if block.language not in RUN or block.why:
            continue
        starts = ["bash", "-euo", "pipefail", "-c"] if block.language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*starts, block.code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{name(page)}:{block.line}\n{done.stdout}\n{done.stderr}"
