"""Every documentation path and every relative link that the repository names leads to a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
CODE = ["src", "tests", "bench", "examples", "tools"]
NAMED = re.compile(r"(?<![\w/])docs/[\w./-]+\.(?:md|svg|py)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def texts() -> list[Path]:
    found = [path for folder in CODE for path in (REPO / folder).rglob("*") if path.suffix in {".py", ".md", ".sh"}]
    return [*found, *REPO.glob("*.md"), REPO / "Makefile", REPO / "pyproject.toml"]


def pages() -> list[Path]:
    below = [path for folder in [*CODE, "docs"] for path in (REPO / folder).rglob("*.md")]
    return [path for path in [*REPO.glob("*.md"), *below] if "_build" not in path.parts]


def test_every_documentation_path_named_in_the_repository_exists():
    missing = {
        f"{path.relative_to(REPO)}: {name}"
        for path in texts()
        for name in NAMED.findall(path.read_text(encoding="utf-8"))
        if not (REPO / name).is_file()
    }
    assert not missing


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(REPO)))
def test_every_relative_link_of_a_page_leads_to_a_file_or_folder(page: Path):
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("folder", ["docs", *(f"docs/{part}" for part in ("how-to", "reference", "decisions"))])
def test_a_folder_of_the_documentation_has_at_most_fifteen_files(folder: str):
    for place in [REPO / folder, *(p for p in (REPO / folder).iterdir() if p.is_dir())]:
        assert len([path for path in place.iterdir() if path.is_file()]) <= 15, place


def test_where_is_what_names_folders_that_exist():
    section = (REPO / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Where is what?")[2]
    table = section.partition("## ")[0]
    folders = re.findall(r"^\| [^|]+ \| `([\w/.]+)` \|$", table, re.MULTILINE)

    assert len(folders) >= 10
    assert [name for name in folders if not (REPO / "src" / "xinglin" / name).exists()] == []
